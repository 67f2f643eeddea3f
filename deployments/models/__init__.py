"""Releases, the decisions they wait for, and the images they may take."""

from deployments.models.decision import DecisionKind, DecisionPoint, DecisionState
from deployments.models.image import Image, Repository
from deployments.models.preflight import Outcome, PreflightResult
from deployments.models.release import Origin, Release, ReleaseEvent, Strategy
from deployments.models.status import DRAFT, FINISHED, IN_FLIGHT, MOVING, TRANSITIONS, Status

__all__ = [
    "DRAFT",
    "FINISHED",
    "IN_FLIGHT",
    "MOVING",
    "TRANSITIONS",
    "DecisionKind",
    "DecisionPoint",
    "DecisionState",
    "Image",
    "Origin",
    "Outcome",
    "PreflightResult",
    "Release",
    "ReleaseEvent",
    "Repository",
    "Status",
    "Strategy",
]
