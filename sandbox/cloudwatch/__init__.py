"""CloudWatch metrics: what is published is kept by the minute, what came before is computed."""
