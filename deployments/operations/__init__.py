"""Everything a person can do to a release: keyword-only, with who and when, audited."""

from deployments.operations.deciding import approve, reject, roll_back
from deployments.operations.errors import (
    CannotMove,
    MovedMeanwhile,
    NotAllowed,
    NotReady,
    TooLate,
)
from deployments.operations.requesting import cancel, check_again, draft, restore, start

__all__ = [
    "CannotMove",
    "MovedMeanwhile",
    "NotAllowed",
    "NotReady",
    "TooLate",
    "approve",
    "cancel",
    "check_again",
    "draft",
    "reject",
    "restore",
    "roll_back",
    "start",
]
