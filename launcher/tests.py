"""`bin/test`: all tests, in two runs, with one honest line at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from launcher.paths import CHECKOUT

WHOLE_STACK = "stack"
NO_TESTS_COLLECTED = 5
Arguments = list[str]


def run_tests(given: Arguments) -> int:
    """Run pytest and print `N passed, N failed, N skipped`; return 0 only when nothing failed.

    With arguments of the caller's there is one run with exactly those.
    """
    runs = [given] if given else default_runs()
    with tempfile.TemporaryDirectory() as directory:
        reports = [Path(directory) / f"{number}.xml" for number in range(len(runs))]
        codes = [_pytest(run, report) for run, report in zip(runs, reports, strict=True)]
        counted = count(report for report in reports if report.exists())
    print(f"{counted['passed']} passed, {counted['failed']} failed, {counted['skipped']} skipped")
    return verdict(codes, counted)


def default_runs() -> list[Arguments]:
    """Return the arguments of both runs: everything but what drives a whole stack, then that.

    A stack is ten processes that mostly wait; more than two of them at once would not be served.
    """
    cores = os.cpu_count() or 1
    apart = ["--dist", "loadfile"]
    return [
        ["-n", str(min(cores, 4)), *apart, "-m", f"not {WHOLE_STACK}"],
        ["-n", str(min(cores, 2)), *apart, "-m", WHOLE_STACK],
    ]


def verdict(codes: list[int], counted: Counter[str]) -> int:
    """Return the exit code: the first bad one of pytest, and never 0 when no test ran."""
    bad = [code for code in codes if code not in {0, NO_TESTS_COLLECTED}]
    if bad:
        return bad[0]
    return 0 if counted["passed"] and not counted["failed"] else 1


def count(reports: Iterable[Path]) -> Counter[str]:
    """Count test cases in pytest's own JUnit reports; an error counts as a failure."""
    counted: Counter[str] = Counter()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - we wrote it
            counted[_outcome(case)] += 1
    return counted


def _outcome(case: ElementTree.Element) -> str:
    tags = {child.tag for child in case}
    if tags & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in tags else "passed"


def _pytest(arguments: Arguments, report: Path) -> int:
    command = [sys.executable, "-m", "pytest", f"--junit-xml={report}", *arguments]
    sys.stdout.flush()
    return subprocess.run(command, cwd=CHECKOUT, check=False).returncode
