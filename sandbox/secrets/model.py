"""A secret, its versions and the labels on them. Every datetime is UTC."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

CURRENT, PENDING, PREVIOUS = "AWSCURRENT", "AWSPENDING", "AWSPREVIOUS"


@dataclass
class Version:
    """One version; without `text` and `binary` (base64) it is empty, as a failed rotation's is."""

    id: str
    created: datetime
    stages: list[str] = field(default_factory=list)
    text: str | None = None
    binary: str | None = None
    accessed: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether it has no value yet."""
        return self.text is None and self.binary is None


@dataclass
class Secret:
    """One secret. `rotating` names the version a rotation in progress is making, if any.

    `deleted` is when somebody deleted it, `gone` when its recovery window is over.
    """

    name: str
    arn: str
    created: datetime
    changed: datetime
    description: str = ""
    kms_key: str | None = None
    tags: list[dict[str, str]] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    accessed: datetime | None = None
    deleted: datetime | None = None
    policy: str | None = None
    rotation_enabled: bool | None = None
    rotation_lambda: str | None = None
    rotation_rules: dict[str, Any] = field(default_factory=dict)
    last_rotated: datetime | None = None
    next_rotation: datetime | None = None
    rotating: str | None = None
    gone: datetime | None = None

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Secret:
        """A secret as it was stored."""
        versions = [Version(**version) for version in document["versions"]]
        return cls(**{**document, "versions": versions})

    def document(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)

    def version(self, version_id: str) -> Version | None:
        """The version of that id."""
        return next((v for v in self.versions if v.id == version_id), None)

    def staged(self, stage: str) -> Version | None:
        """The version that carries a label."""
        return next((v for v in self.versions if stage in v.stages), None)

    def stuck(self) -> Version | None:
        """The version an unfinished rotation left: AWSPENDING, but not AWSCURRENT."""
        pending = self.staged(PENDING)
        return pending if pending and CURRENT not in pending.stages else None

    def move(self, stage: str, to: Version | None) -> None:
        """Take a label from whoever has it and give it to `to`.

        Moving AWSCURRENT leaves AWSPREVIOUS on the version that had it.
        """
        before = self.staged(stage)
        if before is to:
            return
        if before:
            before.stages.remove(stage)
        if to:
            to.stages.append(stage)
        if stage == CURRENT and before:
            self.move(PREVIOUS, before)
