"""Why an operation did not happen, in words for the person who asked."""

from __future__ import annotations


class CannotMove(Exception):
    """The release cannot go from where it is to where it was asked to go."""


class MovedMeanwhile(CannotMove):
    """Somebody else, or ECS itself, was first."""


class NotReady(CannotMove):
    """The preflight forbids it, is too old, or has not finished."""


class NotAllowed(CannotMove):
    """The policy wants another person to do this."""


class TooLate(CannotMove):
    """The decision is about to expire, or the release is over."""
