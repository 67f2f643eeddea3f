"""Cost Explorer as a part of the account, and the meter that feeds the bill."""

from __future__ import annotations

from sandbox import clock
from sandbox.charges import Charges
from sandbox.context import Context
from sandbox.costexplorer.anomalies import Anomalies
from sandbox.costexplorer.bill import Bill
from sandbox.costexplorer.commitments import Commitments
from sandbox.costexplorer.comparisons import Comparisons
from sandbox.costexplorer.forecasts import Forecasts
from sandbox.costexplorer.journal import Journal
from sandbox.costexplorer.ledger import Ledger
from sandbox.costexplorer.meter import Meter
from sandbox.costexplorer.monitors import Monitors
from sandbox.costexplorer.service import CostExplorer
from sandbox.costexplorer.values import Values


async def join(sandbox: Context) -> None:
    """Serve Cost Explorer and begin to watch what the account holds."""
    charges = Charges(sandbox.home)
    sandbox.at_stop(charges.close)
    journal = Journal(sandbox.state, sandbox.epoch)
    bill = Bill(epoch=sandbox.epoch, charges=charges, journal=journal)
    ledger = Ledger(bill, charges, clock.now)
    explorer = CostExplorer(ledger, journal)
    monitors = Monitors(ledger, sandbox.state, sandbox.epoch)
    sandbox.provide(explorer)
    for owner in (
        explorer,
        Values(ledger),
        Forecasts(ledger),
        Comparisons(ledger),
        monitors,
        Anomalies(ledger, monitors, sandbox.state),
        Commitments(ledger),
    ):
        sandbox.serve("ce", owner)
    sandbox.spawn(Meter(sandbox, journal, charges).run())
