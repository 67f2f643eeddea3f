"""What stands in the account beside services and load: network, data stores, roles, guards.

FAULTS.md lists what is wrong with it on purpose, by the check that must find it.
"""
