"""The checks by their names in the catalogue."""

from __future__ import annotations

CHECKS = {}


def check(*names):
    """Register how to find what fails a check."""

    def register(function):
        for name in names:
            CHECKS[name] = function
        return function

    return register
