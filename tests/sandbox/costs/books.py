"""Cost Explorer without a sandbox: the bill of an account that tests fill and date."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime
from decimal import Decimal

from sandbox.charges import Charges
from sandbox.costexplorer import kinds, script
from sandbox.costexplorer.anomalies import Anomalies
from sandbox.costexplorer.bill import Bill
from sandbox.costexplorer.commitments import Commitments
from sandbox.costexplorer.comparisons import Comparisons
from sandbox.costexplorer.forecasts import Forecasts
from sandbox.costexplorer.journal import Holding, Journal
from sandbox.costexplorer.ledger import Ledger
from sandbox.costexplorer.monitors import Monitors
from sandbox.costexplorer.service import CostExplorer
from sandbox.costexplorer.values import Values
from sandbox.state import State

NOW = datetime(2026, 11, 22, 20, 45, tzinfo=UTC)
USAGE = {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}


class Books:
    """All objects that serve `ce`, on a clock that tests set."""

    def __init__(self, home, now=NOW):
        self.now = now
        self.state = State(home / "state.sqlite")
        self.charges = Charges(home)
        self.journal = Journal(self.state, NOW)
        bill = Bill(epoch=NOW, charges=self.charges, journal=self.journal)
        self.ledger = Ledger(bill, self.charges, lambda: self.now)
        self.explorer = CostExplorer(self.ledger, self.journal)
        monitors = Monitors(self.ledger, self.state, NOW)
        self.owners = [
            self.explorer,
            Values(self.ledger),
            Forecasts(self.ledger),
            Comparisons(self.ledger),
            monitors,
            Anomalies(self.ledger, monitors, self.state),
            Commitments(self.ledger),
        ]

    def close(self):
        self.charges.close()
        self.state.close()

    def call(self, operation, **parameters):
        """What an operation answers; raises AwsError."""
        owner = next(each for each in self.owners if hasattr(each, operation))
        answer = getattr(owner, operation)(**parameters)
        return asyncio.run(answer) if inspect.iscoroutine(answer) else answer

    def pages(self, start, end, granularity="DAILY", metrics=("UnblendedCost",), **parameters):
        """All pages of one GetCostAndUsage question, as they come."""
        pages, token = [], {}
        while token is not None:
            page = self.call(
                "get_cost_and_usage",
                TimePeriod={"Start": str(start), "End": str(end)},
                Granularity=granularity,
                Metrics=list(metrics),
                **parameters,
                **token,
            )
            pages.append(page)
            token = {"NextPageToken": page["NextPageToken"]} if "NextPageToken" in page else None
        return pages

    def cost(self, day, **parameters):
        """USD of usage on one day."""
        return total(self.pages(day, day.fromordinal(day.toordinal() + 1), **parameters))

    def hold(self, *holdings, at=NOW, source="moto"):
        self.journal.observe(source, holdings, at)


def results(pages):
    return [result for page in pages for result in page["ResultsByTime"]]


def total(pages, metric="UnblendedCost"):
    """The sum of all groups and totals."""
    amounts = []
    for result in results(pages):
        rows = [group["Metrics"] for group in result["Groups"]] or [result["Total"]]
        amounts += [Decimal(row[metric]["Amount"]) for row in rows]
    return sum(amounts, Decimal(0))


def by(kind, key):
    return {"Type": kind, "Key": key}


def dimension(key, *values):
    return {"Dimensions": {"Key": key, "Values": list(values)}}


def nat(name="nat-1"):
    return Holding(kinds.NAT_HOURS, name, Decimal(1))


def database(size="medium", *, multi_az=True):
    kind = kinds.database(f"db.t4g.{size}", engine="postgres", multi_az=multi_az)
    return Holding(kind, "news-production", Decimal(1), script.DATABASE)


def tasks(count, vcpu="0.5", gb="1", *, arm=False, service="news-api"):
    cpu, memory = kinds.fargate(arm=arm)
    return (
        Holding(cpu, service, Decimal(vcpu) * count, script.PRODUCTION),
        Holding(memory, service, Decimal(gb) * count, script.PRODUCTION),
    )
