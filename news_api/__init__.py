"""News API: a small news aggregator, the workload that the portal operates. Stands alone."""
