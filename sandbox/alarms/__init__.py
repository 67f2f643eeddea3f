"""CloudWatch alarms: evaluated against the account's own metrics, with their actions."""
