"""What the sandbox costs the machine it runs on: memory and processor, idle and with its traffic.

    python -m launcher run -- python -m benchmarks.footprint [--seconds 60]

Starts a sandbox with the default fleet (three News API services) on a home of its own, first
without traffic, then with the default 15 requests a second. Memory is the proportional set size
(PSS: shared pages are divided among those who share them) of every process of the sandbox, so
that forked workers are not counted twice; the resident set size is beside it. Linux only: macOS
has no PSS.

Limit: 400 MiB of PSS; idle processor use is stated, in percent of one core.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

LIMIT_MIB = 400.0
TICKS = os.sysconf("SC_CLK_TCK")
GATEWAY, BALANCER = 14566, 18080


@dataclass(frozen=True)
class Footprint:
    """One process: its name, proportional and resident memory in KiB, CPU seconds so far."""

    name: str
    pss: int
    rss: int
    cpu: float


def processes(leader: int) -> dict[int, Footprint]:
    """Every process that descends from `leader`, itself included, by process id."""
    parents = {int(p.name): _parent(p) for p in Path("/proc").iterdir() if p.name.isdigit()}
    family = {leader}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return {pid: found for pid in family if (found := _footprint(Path(f"/proc/{pid}")))}


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return 0


def _footprint(process: Path) -> Footprint | None:
    try:
        sizes = dict(
            line.split(":", 1)
            for line in (process / "smaps_rollup").read_text().splitlines()
            if line.startswith(("Pss:", "Rss:"))
        )
        ticks = (process / "stat").read_text().rpartition(")")[2].split()[11:13]
        command = (process / "cmdline").read_text().split("\0")
    except OSError:
        return None
    kib = {name: int(text.split()[0]) for name, text in sizes.items()}
    return Footprint(_name(command), kib["Pss"], kib["Rss"], sum(map(int, ticks)) / TICKS)


def _name(command: list[str]) -> str:
    """`sandbox serve`, `sandbox.alb`, `gunicorn …`: what tells a process from the others."""
    words = [Path(word).name for word in command if word and not word.startswith("-")]
    return " ".join(words[1:3])


def serve(home: Path, traffic: float) -> subprocess.Popen[bytes]:
    """A running sandbox that is ready."""
    command = [sys.executable, "-m", "sandbox", "serve", f"--home={home}", f"--traffic={traffic}"]
    command += [f"--port={GATEWAY}", f"--alb-port={BALANCER}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(600):
        time.sleep(0.1)
        if _ready():
            return process
    process.kill()
    raise SystemExit("the sandbox did not become ready")


def _ready() -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{GATEWAY}/_sandbox/status") as answer:
            return b'"ready": true' in answer.read()
    except OSError:
        return False


def measure(traffic: float, seconds: float) -> float:
    """Print one table; returns the sandbox's memory in MiB of PSS."""
    with tempfile.TemporaryDirectory() as home:
        sandbox = serve(Path(home) / "home", traffic)
        try:
            time.sleep(20)  # what starting costs is over
            before = processes(sandbox.pid)
            time.sleep(seconds)
            return report(traffic, before, processes(sandbox.pid), seconds)
        finally:
            sandbox.send_signal(signal.SIGTERM)
            sandbox.wait(20)


def report(
    traffic: float, before: dict[int, Footprint], after: dict[int, Footprint], seconds: float
) -> float:
    """Print what every process used between two readings."""
    print(f"\n{traffic:g} requests a second, {seconds:g} s, {len(after)} processes\n")
    print("| process | PSS MiB | RSS MiB | CPU % of a core |")
    print("| --- | ---: | ---: | ---: |")
    total_cpu = 0.0
    for pid, found in sorted(after.items(), key=lambda item: -item[1].pss):
        spent = found.cpu - (before[pid].cpu if pid in before else 0.0)
        total_cpu += 100 * spent / seconds
        row = f"{found.pss / 1024:.0f} | {found.rss / 1024:.0f} | {100 * spent / seconds:.1f}"
        print(f"| {found.name} | {row} |")
    pss = sum(found.pss for found in after.values()) / 1024
    rss = sum(found.rss for found in after.values()) / 1024
    print(f"| all | {pss:.0f} | {rss:.0f} | {total_cpu:.1f} |")
    return pss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to watch")
    seconds = parser.parse_args().seconds
    most = max(measure(traffic, seconds) for traffic in (0.0, 15.0))
    verdict = "holds" if most <= LIMIT_MIB else "is broken"
    print(f"\nThe limit of {LIMIT_MIB:.0f} MiB {verdict}: {most:.0f} MiB.")
    raise SystemExit(most > LIMIT_MIB)


if __name__ == "__main__":
    main()
