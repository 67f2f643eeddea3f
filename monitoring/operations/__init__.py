"""Every write of monitoring."""

from monitoring.operations.backfilling import backfill
from monitoring.operations.collecting import collect
from monitoring.operations.compacting import compact
from monitoring.operations.watching import watch_closely

__all__ = ["backfill", "collect", "compact", "watch_closely"]
