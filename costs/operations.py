"""Reads Cost Explorer, one window at a time, and stores a window whole or not at all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from aws import costexplorer
from aws.costexplorer import Group, Question
from aws.errors import AwsError, Denied
from catalog.models import Account
from costs import plan, queries
from costs.invoice import CREDITS
from costs.models import LEASE, CostFact, IngestRun, RunStatus, Shape

log = logging.getLogger(__name__)

COSTS = ("UnblendedCost", "AmortizedCost", "NetAmortizedCost")
QUANTITY = "UsageQuantity"
CURRENCY = "USD"
DIMENSIONS = {Shape.USAGE: ("SERVICE", "USAGE_TYPE"), Shape.RECORD: ("SERVICE", "RECORD_TYPE")}
_KEY = ("day", "service", "usage_type", "record_type")


class LeaseLost(Exception):
    """Another worker has taken over; what this one read is not stored."""


class ForeignCurrency(Exception):
    """The account is billed in another currency; two currencies are never added."""


def ingest(*, at: datetime) -> IngestRun | None:
    """Read the next window that is due. None if there is none, or another worker is reading.

    A failure is recorded in the run that is returned, and nothing of its window is stored.
    """
    run = _begin(at)
    if run is None:
        return None
    try:
        facts = [fact for shape in Shape for fact in _read(run, Shape(shape), at)]
        _store(run, facts)
    except LeaseLost:
        log.warning("cost ingest %s: lease lost", run.pk)
    except (AwsError, ForeignCurrency) as error:
        log.warning("cost ingest %s: %s", run.pk, error)
        _fail(run, str(error), missing=error.action if isinstance(error, Denied) else "")
    except Exception as error:
        _fail(run, f"{type(error).__name__}: {error}")
        raise
    run.refresh_from_db()
    return run


@transaction.atomic
def _begin(at: datetime) -> IngestRun | None:
    """Decide what to read and claim it; the account's row makes deciding and claiming one."""
    account = Account.objects.select_for_update(no_key=True).order_by("pk").first()
    if account is None:
        return None
    runs = IngestRun.objects.filter(account=account, status=RunStatus.RUNNING)
    runs.filter(lease_until__lt=Now()).update(
        status=RunStatus.FAILED, finished_at=Now(), error="The worker that was reading died."
    )
    if runs.exists():
        return None
    window = plan.next_window(
        queries.history(), at=at, requests_a_day=settings.COSTS_CHARGED_REQUESTS_PER_DAY
    )
    if window is None:
        return None
    return IngestRun.objects.create(
        account=account,
        granularity=window.granularity,
        start=window.start,
        end=window.end,
        started_at=at,
    )


def _read(run: IngestRun, shape: Shape, at: datetime) -> list[CostFact]:
    spent = plan.charged_on(queries.history(), at.date())
    groups = costexplorer.get_cost_and_usage(
        Question(
            start=run.start,
            end=run.end,
            granularity=run.granularity,
            dimensions=DIMENSIONS[shape],
            metrics=(*COSTS, QUANTITY) if shape == Shape.USAGE else COSTS,
            without_record_types=CREDITS if shape == Shape.USAGE else (),
        ),
        most_pages=max(settings.COSTS_CHARGED_REQUESTS_PER_DAY - spent, 0),
        charged=lambda: _charge(run),
    )
    return [fact for group in groups if (fact := _fact(run, shape, group, at))]


def _charge(run: IngestRun) -> None:
    """Count a request where a crash cannot take it back, and keep the lease."""
    held = IngestRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        charged_requests=F("charged_requests") + 1, lease_until=Now() + LEASE
    )
    if not held:
        raise LeaseLost


def _fact(run: IngestRun, shape: Shape, group: Group, at: datetime) -> CostFact | None:
    """Return the fact, or None where neither money nor usage is in it."""
    unblended, amortized, net_amortized = (_usd(group, name) for name in COSTS)
    quantity = group.amounts.get(QUANTITY)
    if not (unblended or amortized or net_amortized or (quantity and quantity.value)):
        return None
    service, other = group.keys
    mixed = quantity is None or quantity.unit in {"", "N/A"}
    return CostFact(
        account_id=run.account_id,
        shape=shape,
        granularity=run.granularity,
        day=group.start,
        service=service,
        usage_type=other if shape == Shape.USAGE else "",
        record_type=other if shape == Shape.RECORD else "",
        unblended=unblended,
        amortized=amortized,
        net_amortized=net_amortized,
        quantity=None if mixed or quantity is None else quantity.value,
        unit="" if mixed or quantity is None else quantity.unit,
        estimated=group.estimated,
        as_of=at,
    )


def _usd(group: Group, name: str) -> Decimal:
    amount = group.amounts[name]
    if amount.value and amount.unit != CURRENCY:
        raise ForeignCurrency(
            f"Cost Explorer answers in {amount.unit}; Quarterdeck only adds {CURRENCY}."
        )
    return amount.value


@transaction.atomic
def _store(run: IngestRun, facts: Sequence[CostFact]) -> None:
    """Make the window hold exactly these facts, if the run is still ours."""
    held = IngestRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        status=RunStatus.SUCCEEDED, finished_at=Now(), facts=len(facts)
    )
    if not held:
        raise LeaseLost
    known = _known(run)
    for fact in facts:
        before = known.pop(_key(fact, fact.shape), None)
        fact.restated = before is not None and before.differs(fact)
    # What AWS does not report any more, and facts of the other granularity, would count twice.
    CostFact.objects.filter(pk__in=[gone.pk for gone in known.values()]).delete()
    CostFact.objects.bulk_create(
        facts,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["account", "shape", "granularity", *_KEY],
        update_fields=[
            "unblended",
            "amortized",
            "net_amortized",
            "quantity",
            "unit",
            "estimated",
            "restated",
            "as_of",
        ],
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is stored for a key."""

    pk: int
    unblended: Decimal
    final: bool
    restated: bool

    def differs(self, fact: CostFact) -> bool:
        return self.restated or (self.final and self.unblended != fact.unblended)


def _known(run: IngestRun) -> dict[tuple[object, ...], _Known]:
    stored = CostFact.objects.filter(
        account=run.account_id, day__gte=run.start, day__lt=run.end
    ).iterator(chunk_size=2000)
    return {
        _key(fact, fact.shape): _Known(fact.pk, fact.unblended, not fact.estimated, fact.restated)
        for fact in stored
    }


def _key(fact: CostFact, shape: str) -> tuple[object, ...]:
    return (shape, fact.granularity, *(getattr(fact, name) for name in _KEY))


def _fail(run: IngestRun, error: str, *, missing: str = "") -> None:
    IngestRun.objects.filter(pk=run.pk, status=RunStatus.RUNNING).update(
        status=RunStatus.FAILED, finished_at=Now(), error=error[:2000], missing_action=missing
    )
