"""CloudWatch's metric math: its grammar, its three types and its functions."""
