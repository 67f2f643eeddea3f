"""Faults on demand: what can be made to go wrong, what is in force, and how it is done."""
