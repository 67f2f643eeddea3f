"""AWS Budgets: what was planned against the bill, and who is told when it is exceeded."""
