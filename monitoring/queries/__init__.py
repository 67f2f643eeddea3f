"""Reads of the store in the terms of services."""

from monitoring.queries.board import Board, BoardSeries, board, board_series, collection_of
from monitoring.queries.comparison import TargetGroupSignals, compare_target_groups
from monitoring.queries.golden_hour import golden_hour

__all__ = [
    "Board",
    "BoardSeries",
    "TargetGroupSignals",
    "board",
    "board_series",
    "collection_of",
    "compare_target_groups",
    "golden_hour",
]
