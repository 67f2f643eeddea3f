"""The account's past: what its metrics and its deployments were before the sandbox started."""

from sandbox.history.environments import ENVIRONMENTS, PRODUCTION, STAGING, Environment
from sandbox.history.past import History
from sandbox.history.script import Episode, PastRelease, episodes, releases
from sandbox.history.shape import requests_per_second_at

__all__ = [
    "ENVIRONMENTS",
    "PRODUCTION",
    "STAGING",
    "Environment",
    "Episode",
    "History",
    "PastRelease",
    "episodes",
    "releases",
    "requests_per_second_at",
]
