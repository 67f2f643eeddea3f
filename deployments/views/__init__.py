"""The pages of releases: reading them, asking for one, and acting on one."""

from deployments.views.acting import (
    approve,
    cancel,
    check_again,
    reject,
    restore,
    roll_back,
    start,
)
from deployments.views.asking import new, refresh_images
from deployments.views.reading import approvals, detail, index

__all__ = [
    "approvals",
    "approve",
    "cancel",
    "check_again",
    "detail",
    "index",
    "new",
    "refresh_images",
    "reject",
    "restore",
    "roll_back",
    "start",
]
