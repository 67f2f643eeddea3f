"""The images of the account's registry: digests, and what is wrong with each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.names import REGISTRY

REPOSITORY = "news-api"


@dataclass(frozen=True)
class Image:
    """One pushed image. `fault` is what `sandbox.faults` makes its tasks do."""

    tag: str
    size_bytes: int
    pushed_days_ago: float
    fault: Mapping[str, float] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """`sha256:…`, the same in every sandbox."""
        return "sha256:" + hashlib.sha256(f"{REPOSITORY}:{self.tag}".encode()).hexdigest()

    @property
    def uri(self) -> str:
        """`<registry>/news-api:<tag>`."""
        return f"{REGISTRY}/{REPOSITORY}:{self.tag}"


# The releases of before the epoch, then the one that runs, then those to try.
IMAGES = (
    Image("1.2.0", 91_300_000, 33.5),
    Image("1.2.1", 91_300_000, 26.5),
    Image("1.2.2", 91_500_000, 19.5),
    Image("1.3.0", 89_200_000, 12.5),
    Image("1.3.1", 89_200_000, 10.6),
    Image("1.3.2", 89_300_000, 8.5, {"error_rate": 0.03}),
    Image("1.3.3", 89_300_000, 7.5),
    Image("1.3.4", 89_400_000, 4.6),
    Image("1.4.0", 87_400_000, 2.6),
    Image("1.4.1", 87_600_000, 1.5),
    Image("1.4.2-errors", 87_900_000, 1.2, {"error_rate": 0.03}),
    Image("1.4.3-slow", 87_900_000, 0.9, {"slow_every": 2, "slow_seconds": 0.4}),
    Image("1.4.4-unhealthy", 88_100_000, 0.6, {"unhealthy": 1}),
)


class CannotPull(Exception):
    """The image does not exist in the registry."""


def resolve(reference: str) -> Image:
    """The image a container's `image` names by tag or digest; raises CannotPull."""
    for image in IMAGES:
        by_digest = f"{REGISTRY}/{REPOSITORY}@{image.digest}"
        if reference in (image.uri, by_digest, f"{image.uri}@{image.digest}"):
            return image
    raise CannotPull(
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): "
        f"failed to resolve ref {reference}: {reference}: not found"
    )
