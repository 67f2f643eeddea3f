"""Elastic Load Balancing: load balancers, listeners, rules, target groups and targets that act."""
