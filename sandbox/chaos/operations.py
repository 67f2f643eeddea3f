"""The names of AWS's operations: a fault on a name that AWS does not have could never hit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from functools import cache

from sandbox.overview import moto

# Asked first: what the portal calls. The rest of some 160 services takes a second to read.
OURS = (
    "application-autoscaling",
    "budgets",
    "ce",
    "cloudwatch",
    "compute-optimizer",
    "cost-optimization-hub",
    "ecr",
    "ecs",
    "elasticache",
    "elbv2",
    "iam",
    "inspector2",
    "logs",
    "rds",
    "secretsmanager",
    "sts",
)
_operations = cache(moto.operations)
_services = cache(moto.services)
_MATCHES = 3


def check(service: str | None, name: str) -> None:
    """Raise ValueError, with what was perhaps meant, when no call has this name (`*`: any).

    A service is botocore's name; without one, some service of this account must have the operation.
    """
    if service is not None:
        _check_within(service, name)
    elif name != "*" and not any(name in _operations(one) for one in _known()):
        meant = _close(name, {other for one in _known() for other in _operations(one)})
        raise ValueError(f"must be an operation that AWS has{meant}")


def _known() -> Iterable[str]:
    """Our services, then those of moto: read only when nobody before them has the name."""
    yield from OURS
    yield from sorted(_services() - set(OURS))


def _check_within(service: str, name: str) -> None:
    names = _operations(service)
    if not names:
        meant = _close(service, {*OURS, *_services()})
        raise ValueError(f"must be of a service that AWS has{meant}")
    if name != "*" and name not in names:
        elsewhere = [f"{one}.{name}" for one in OURS if name in _operations(one)]
        within = [f"{service}.{other}" for other in names]
        meant = _close(f"{service}.{name}", within) if not elsewhere else _meant(elsewhere)
        raise ValueError(f"must be an operation that {service} has{meant}")


def _close(word: str, words: Collection[str]) -> str:
    """` (did you mean …?)`; nothing when no word is like it."""
    lowered = {other.lower(): other for other in sorted(words)}
    found = get_close_matches(word.lower(), lowered, _MATCHES)
    return _meant([lowered[one] for one in found])


def _meant(words: Sequence[str]) -> str:
    return f" (did you mean {' or '.join(words)}?)" if words else ""
