"""Every write of monitoring."""

from monitoring.operations.watching import watch_closely

__all__ = ["watch_closely"]
