"""Which size a task or a database needs, by what it used. Pure; the rules are the sandbox's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.costexplorer import kinds
from sandbox.costexplorer.prices import HOURS_PER_MONTH, price

# A size fits when the use of 99.5 % of the hours fills at most so much of it.
HEADROOM = 0.70
PERCENTILE = 0.995
LEAST_HOURS = 24
# CPU units to the memory in MiB that Fargate offers with them.
FARGATE = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}
# PostgreSQL's smallest classes, by memory in GiB. All have two vCPUs.
DATABASES = {"db.t4g.micro": 1, "db.t4g.small": 2, "db.t4g.medium": 4}
LEAST_DATABASE_GIB = 2
DATABASE_CPU_PERCENT, DATABASE_PERCENTILE = 40.0, 0.95


@dataclass(frozen=True)
class Size:
    """CPU units (1024 are one vCPU), MiB of memory, and the architecture."""

    cpu: int
    memory: int
    arm: bool = False

    def monthly(self, tasks: int) -> Decimal:
        """USD a month of so many tasks: 730 hours × (vCPU · price + GB · price)."""
        cpu, memory = kinds.fargate(arm=self.arm)
        hourly = Decimal(self.cpu) / 1024 * price(cpu.price)
        hourly += Decimal(self.memory) / 1024 * price(memory.price)
        return tasks * HOURS_PER_MONTH * hourly


@dataclass(frozen=True)
class Use:
    """Percent of a size that was used: hourly maxima and their means, one value an hour."""

    maximum: Sequence[float]
    average: Sequence[float]

    @property
    def peak(self) -> float:
        """The 99.5th percentile of the hourly maxima."""
        return self.at(PERCENTILE)

    def at(self, share: float) -> float:
        """What a share of the hours stays below or at."""
        ordered = sorted(self.maximum)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    @property
    def mean(self) -> float:
        """The mean of the hourly means."""
        return sum(self.average) / len(self.average)

    @property
    def enough(self) -> bool:
        """Whether a day was measured at least."""
        return len(self.maximum) >= LEAST_HOURS


def advised(current: Size, cpu: Use, memory: Use, *, keep_cpu: bool = False) -> Size:
    """The cheapest size that fits; `keep_cpu` when a scaling policy steers by CPU.

    The largest size of all if nothing fits.
    """
    needed_cpu = current.cpu * cpu.peak / 100 / HEADROOM
    needed_memory = current.memory * memory.peak / 100 / HEADROOM
    fitting = [
        Size(units, size, current.arm)
        for units, sizes in FARGATE.items()
        for size in sizes
        if size >= needed_memory and (units == current.cpu if keep_cpu else units >= needed_cpu)
    ]
    largest = Size(max(FARGATE), max(FARGATE[max(FARGATE)]), current.arm)
    return min(fitting, key=lambda size: size.monthly(1), default=largest)


def smaller_database(instance_class: str, cpu: Use) -> str | None:
    """The next smaller class if 95 % of the hours stay below 40 % CPU, None if nothing is advised.

    A few hours of an incident do not keep a database large.
    """
    names = list(DATABASES)
    if instance_class not in names or not cpu.enough:
        return None
    if cpu.at(DATABASE_PERCENTILE) >= DATABASE_CPU_PERCENT:
        return None
    place = names.index(instance_class) - 1
    if place < 0 or DATABASES[names[place]] < LEAST_DATABASE_GIB:
        return None
    return names[place]
