"""Prometheus's text format, version 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Sample:
    """One value. `suffix` is `_bucket`, `_sum` or `_count` in a histogram."""

    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """A metric: `kind` is `counter`, `gauge` or `histogram`; the name ends with its unit."""

    name: str
    kind: str
    help: str
    samples: list[Sample]


def render(families: Iterable[Family]) -> str:
    """Return the families as text; one without samples is left out."""
    return "".join(_family(family) for family in families if family.samples)


def histogram(
    name: str, text: str, bounds: Iterable[float], counts: list[int], total: float
) -> Family:
    """Return a histogram from the count of each bucket, the last one being without bound."""
    samples = []
    reached = 0
    for bound, number in zip([*map(str, bounds), "+Inf"], counts, strict=True):
        reached += number
        samples.append(Sample(reached, {"le": bound}, "_bucket"))
    samples += [Sample(total, suffix="_sum"), Sample(reached, suffix="_count")]
    return Family(name, "histogram", text, samples)


def _family(family: Family) -> str:
    lines = [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
    lines += [
        f"{family.name}{sample.suffix}{_labels(sample.labels)} {sample.value:.15g}"
        for sample in family.samples
    ]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
