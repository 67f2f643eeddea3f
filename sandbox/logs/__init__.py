"""CloudWatch Logs: log groups fed by the real processes, filters, and Logs Insights."""
