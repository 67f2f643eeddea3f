"""Noise that is a function of a name and a minute: the same on every machine, at every call."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from sandbox.cloudwatch.points import Floats, Ints

_Words = npt.NDArray[np.uint64]


def _mix(state: _Words) -> _Words:
    """splitmix64: neighbouring inputs give unrelated outputs. Overflow is intended."""
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))


def uniform(name: str, minutes: Ints) -> Floats:
    """One number in [0, 1) for every minute."""
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    seed = np.uint64(int.from_bytes(digest, "big"))
    return (_mix(seed ^ minutes.astype(np.uint64)) >> np.uint64(11)).astype(np.float64) / 2**53


def normal(name: str, minutes: Ints) -> Floats:
    """One standard normal number for every minute (Box and Muller)."""
    radius = np.sqrt(-2 * np.log(1 - uniform(name, minutes)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(f"{name}~", minutes)))


def whole(name: str, minutes: Ints, expected: Floats) -> Floats:
    """Expected counts made whole: 0.3 becomes 1 in three of ten minutes, else 0."""
    return np.floor(expected + uniform(f"{name}#", minutes))
