"""Which image was scanned how, and what a scan says now. Every datetime is UTC."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.images import REPOSITORY
from sandbox.registry import catalogue
from sandbox.registry.catalogue import Finding
from sandbox.state import State

BASIC, ENHANCED = "BASIC", "ENHANCED"
MANUAL, ON_PUSH, CONTINUOUS = "MANUAL", "SCAN_ON_PUSH", "CONTINUOUS_SCAN"
COMPLETE, ACTIVE, IN_PROGRESS, PENDING = "COMPLETE", "ACTIVE", "IN_PROGRESS", "PENDING"
UNSUPPORTED, EXPIRED = "UNSUPPORTED_IMAGE", "SCAN_ELIGIBILITY_EXPIRED"
# Sandbox seconds that a scan takes.
SCAN_SECONDS = 5.0
# Inspector looks again at images that were pushed within so many days.
RESCAN_DAYS = 30
# So many changes of the configuration are remembered, to know what was in force at a push.
_REMEMBERED = 100
_CONFIGURATION = {
    "scanType": ENHANCED,
    "rules": [
        {
            "scanFrequency": CONTINUOUS,
            "repositoryFilters": [{"filter": REPOSITORY, "filterType": "WILDCARD"}],
        }
    ],
}
_DESCRIPTIONS = {
    COMPLETE: "The scan was completed successfully.",
    ACTIVE: "Continuous scan is selected for image.",
    IN_PROGRESS: "The scan is in progress.",
    PENDING: "Continuous scan is selected for image. The first scan has not ended.",
    UNSUPPORTED: "UnsupportedImageError: The operating system of the image is not supported.",
    EXPIRED: "The image was pushed too long ago to be scanned continuously.",
}


@dataclass(frozen=True)
class StoredImage:
    """One image as ECR knows it: digest, tags, size in bytes and when it was pushed."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    size: int
    pushed: datetime
    media_type: str

    @property
    def tag(self) -> str:
        """The tag its packages go by."""
        return self.tags[0] if self.tags else ""


@dataclass(frozen=True)
class Scan:
    """What a scan says now; without an answer there are no findings. `at`: when it ended."""

    status: str
    at: datetime | None = None
    findings: Sequence[Finding] = field(default_factory=tuple)

    @property
    def answered(self) -> bool:
        """Whether the findings are an answer: only two statuses are."""
        return self.status in (COMPLETE, ACTIVE)

    @property
    def description(self) -> str:
        """AWS's sentence about the status."""
        return _DESCRIPTIONS[self.status]


class Scans:
    """The registry's scanning configuration and every basic scan that was asked for."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def configuration(self) -> dict[str, Any]:
        """Scan type and rules."""
        known: dict[str, Any] = self._state.get("registry", "scanning") or _CONFIGURATION
        return known

    def configure(self, scan_type: str, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the configuration; raises AwsError InvalidParameterException."""
        for rule in rules:
            if scan_type == BASIC and rule["scanFrequency"] == CONTINUOUS:
                message = "CONTINUOUS_SCAN is not supported with the BASIC scan type."
                raise AwsError("InvalidParameterException", message)
        body = {"scanType": scan_type, "rules": [dict(rule) for rule in rules]}
        replaced = {"until": clock.now(), "was": self.configuration}
        self._state.put("registry", "replaced", {"all": [*self._replaced, replaced][-_REMEMBERED:]})
        if scan_type != self.configuration["scanType"]:
            self._state.put("registry", "changed", {"at": clock.now()})
        self._state.put("registry", "scanning", body)

    @property
    def _replaced(self) -> list[dict[str, Any]]:
        """Configurations that were replaced, the oldest first, and when."""
        return list((self._state.get("registry", "replaced") or {"all": []})["all"])

    def _at(self, moment: datetime) -> Mapping[str, Any]:
        """The configuration in force at a moment."""
        later = (each["was"] for each in self._replaced if moment < each["until"])
        return next(later, self.configuration)

    def frequency(self, repository: str) -> tuple[str, list[dict[str, str]]]:
        """How often a repository is scanned, and the filters that say so."""
        return _frequency(self.configuration, repository)

    def _scanned_on_push(self, image: StoredImage) -> bool:
        """Whether a basic scan began when the image came: settings of later scan nothing."""
        then = self._at(image.pushed)
        return then["scanType"] == BASIC and _frequency(then, image.repository)[0] == ON_PUSH

    def begin(self, image: StoredImage) -> None:
        """A basic scan by hand; raises ValidationException, LimitExceeded…, UnsupportedImage…"""
        if self.configuration["scanType"] == ENHANCED:
            raise AwsError("ValidationException", "This feature is disabled")
        if catalogue.generation(image.tag) is None:
            message = f"The image {image.digest} has an operating system that is not supported."
            raise AwsError("UnsupportedImageTypeException", message)
        last = self._begun(image)
        if last and clock.now() < last + timedelta(hours=24):
            message = "The scan quota per image has been exceeded. Wait and try again."
            raise AwsError("LimitExceededException", message)
        self._state.put("scan", image.digest, {"at": clock.now()})

    def _begun(self, image: StoredImage) -> datetime | None:
        """When the last basic scan began: by hand, or when the image was pushed."""
        known = self._state.get("scan", image.digest)
        if known:
            at: datetime = known["at"]
            return at
        return image.pushed if self._scanned_on_push(image) else None

    def of(self, image: StoredImage) -> Scan | None:
        """What is known about an image now, None when it was never scanned."""
        if self.configuration["scanType"] == BASIC:
            return self._basic(image)
        frequency, _ = self.frequency(image.repository)
        return None if frequency == MANUAL else self._enhanced(image, frequency)

    def _basic(self, image: StoredImage) -> Scan | None:
        begun = self._begun(image)
        if begun is None:
            return None
        done = begun + timedelta(seconds=SCAN_SECONDS)
        if clock.now() < done:
            return Scan(IN_PROGRESS)
        if catalogue.generation(image.tag) is None:
            return Scan(UNSUPPORTED)
        # Basic scans know the operating system's packages only.
        found = [f for f in catalogue.findings(image.tag) if f.vulnerability.manager == "OS"]
        return Scan(COMPLETE, done, found)

    def _enhanced(self, image: StoredImage, frequency: str) -> Scan:
        changed = self._state.get("registry", "changed")
        begun = max(image.pushed, changed["at"]) if changed else image.pushed
        done = begun + timedelta(seconds=SCAN_SECONDS)
        if clock.now() < done:
            return Scan(PENDING)
        if catalogue.generation(image.tag) is None:
            return Scan(UNSUPPORTED)
        if clock.now() > image.pushed + timedelta(days=RESCAN_DAYS):
            return Scan(EXPIRED)
        # A continuous scan follows the day's advisories, one on push ended then.
        at = max(done, clock.now().replace(minute=0, second=0, microsecond=0))
        return Scan(ACTIVE, at if frequency == CONTINUOUS else done, catalogue.findings(image.tag))


def _frequency(
    configuration: Mapping[str, Any], repository: str
) -> tuple[str, list[dict[str, str]]]:
    for rule in configuration["rules"]:
        filters = [
            f for f in rule["repositoryFilters"] if fnmatch.fnmatchcase(repository, f["filter"])
        ]
        if filters:
            return rule["scanFrequency"], filters
    return MANUAL, []
