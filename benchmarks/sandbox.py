"""CloudWatch of the sandbox beside moto's own server, in one run.

`python -m benchmarks.sandbox`: both are processes of their own, asked through boto3 on this
machine. The sandbox answers 500 queries × 24 h at 60 s; its metrics are put into its file before
it starts. moto walks all its points for every period of every query, so it is asked for as many
as it answers in a bearable time, and says how that grows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from sandbox.cloudwatch.metrics import Metric, aggregate
from sandbox.cloudwatch.store import Store
from tests.sandbox.account import Account, free_ports, wait_until

METRICS, MINUTES = 500, 1440
PAGE = 100_800
CHUNK = 1000
END = datetime.now(UTC).replace(second=0, microsecond=0)
START = END - timedelta(minutes=MINUTES)
NAMESPACE = "Benchmark"
# moto's time grows with the square of this: every query walks the points of all metrics.
MOTO_QUERIES = (1, 2, 4)
PUT_POINTS = 20_000
_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/monitoring/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)


def main() -> None:
    print(f"load average {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}\n")
    print("| what | server | wall s | server CPU s | server MiB before | after | at most |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    with sandbox() as (client, process):
        _of_the_sandbox(client, process)
    with moto() as (client, process):
        _of_moto(client, process)


def _of_the_sandbox(client: Any, process: psutil.Process) -> None:
    asked = _queries(METRICS)
    size = f"{METRICS} queries × 24 h"
    row(f"GetMetricData, {size}, cold", "sandbox", process, lambda: _pages(client, asked))
    row(f"GetMetricData, {size}", "sandbox", process, lambda: _pages(client, asked))
    row(
        f"the same, bytes only, no boto3 ({size})",
        "sandbox",
        process,
        lambda: _bytes(client, asked),
    )
    shown = _queries(METRICS, "p99")
    row(f"the same, p99 ({size})", "sandbox", process, lambda: _bytes(client, shown))
    for queries in MOTO_QUERIES:
        few = _queries(queries)
        name = f"GetMetricData, {queries} × 24 h"
        row(name, "sandbox", process, lambda few=few: _pages(client, few))
    row(f"PutMetricData, {PUT_POINTS} points", "sandbox", process, lambda: _put(client, "Put", 20))
    row("ListMetrics, all", "sandbox", process, lambda: _list(client))


def _of_moto(client: Any, process: psutil.Process) -> None:
    stored = 0
    for queries in MOTO_QUERIES:
        _publish(client, range(stored, queries))
        stored = queries
        asked = _queries(queries)
        name = f"GetMetricData, {queries} × 24 h, {queries * MINUTES} points stored"
        row(name, "moto", process, lambda asked=asked: _pages(client, asked))
    row(f"PutMetricData, {PUT_POINTS} points", "moto", process, lambda: _put(client, "Put", 20))
    row("ListMetrics, all", "moto", process, lambda: _list(client))


def row(what: str, server: str, process: psutil.Process, work: Callable[[], int]) -> None:
    """Do `work` (it returns how many things it got) and print one row of the table."""
    before, cpu = _mib(process), _cpu(process)
    # 5 resets the highest resident size the kernel remembers.
    Path(f"/proc/{process.pid}/clear_refs").write_text("5")
    started = time.perf_counter()
    number = work()
    wall = time.perf_counter() - started
    print(
        f"| {what}: {number:,} | {server} | {wall:.2f} | {_cpu(process) - cpu:.2f} "
        f"| {before:.0f} | {_mib(process):.0f} | {_highest(process):.0f} |",
        flush=True,
    )


@contextmanager
def sandbox() -> Iterator[tuple[Any, psutil.Process]]:
    """A sandbox whose store holds a day of every metric."""
    home = Path(tempfile.mkdtemp(prefix="benchmark-")) / "home"
    _fill(home / "metrics.sqlite")
    account = Account(home).ready()
    try:
        yield _client(account.port), psutil.Process(account.process.pid)
    finally:
        account.stop()


@contextmanager
def moto() -> Iterator[tuple[Any, psutil.Process]]:
    """moto's own server."""
    port, _ = free_ports()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    client = _client(port)
    try:
        wait_until(lambda: _answers(client), 60)
        yield client, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(client: Any) -> bool:
    try:
        client.list_metrics()
    except Exception:  # it does not listen yet
        return False
    return True


def _client(port: int) -> Any:
    return boto3.client(
        "cloudwatch",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}, read_timeout=900),
    )


def _metric(number: int) -> Metric:
    return Metric.of(NAMESPACE, "Latency", Number=str(number))


def _value(number: int, minute: int) -> float:
    return 0.01 * (1 + (number * 31 + minute * 17) % 97)


def _fill(path: Path) -> None:
    first = int(START.timestamp() // 60)
    store = Store(path)
    for number in range(METRICS):
        store.replace(
            {
                (_metric(number), first + minute): (aggregate([_value(number, minute)]), "Seconds")
                for minute in range(MINUTES)
            }
        )
    store.close()


def _publish(client: Any, numbers: range) -> None:
    data = [
        {
            "MetricName": "Latency",
            "Dimensions": _metric(number).as_dict()["Dimensions"],
            "Timestamp": START + timedelta(minutes=minute),
            "Value": _value(number, minute),
            "Unit": "Seconds",
        }
        for number in numbers
        for minute in range(MINUTES)
    ]
    for begin in range(0, len(data), CHUNK):
        client.put_metric_data(Namespace=NAMESPACE, MetricData=data[begin : begin + CHUNK])


def _put(client: Any, name: str, metrics: int) -> int:
    each = PUT_POINTS // metrics
    data = [
        {
            "MetricName": name,
            "Dimensions": [{"Name": "Number", "Value": str(number)}],
            "Timestamp": START + timedelta(minutes=minute),
            "Value": _value(number, minute),
        }
        for number in range(metrics)
        for minute in range(each)
    ]
    for begin in range(0, len(data), CHUNK):
        client.put_metric_data(Namespace="Put", MetricData=data[begin : begin + CHUNK])
    return len(data)


def _list(client: Any) -> int:
    pages = client.get_paginator("list_metrics").paginate()
    return sum(len(page["Metrics"]) for page in pages)


def _queries(number: int, stat: str = "Average") -> list[dict[str, Any]]:
    return [
        {
            "Id": f"q{n}",
            "MetricStat": {"Metric": _metric(n).as_dict(), "Period": 60, "Stat": stat},
        }
        for n in range(number)
    ]


def _pages(client: Any, queries: list[dict[str, Any]]) -> int:
    points, token = 0, {}
    while True:
        answer = client.get_metric_data(
            MetricDataQueries=queries,
            StartTime=START,
            EndTime=END,
            MaxDatapoints=PAGE,
            **token,
        )
        points += sum(len(result["Values"]) for result in answer["MetricDataResults"])
        if "NextToken" not in answer:
            return points
        token = {"NextToken": answer["NextToken"]}


def _bytes(client: Any, queries: list[dict[str, Any]]) -> int:
    """Read every page's bytes and nothing more than its token."""
    import json

    host, _, port = client.meta.endpoint_url.rpartition("/")[2].partition(":")
    connection, total, token = HTTPConnection(host, int(port), timeout=900), 0, {}
    window = {"StartTime": START.timestamp(), "EndTime": END.timestamp()}
    headers = {
        "Authorization": _SIGNED,
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "GraniteServiceVersion20100801.GetMetricData",
    }
    while True:
        body = {"MetricDataQueries": queries, "MaxDatapoints": PAGE, **window, **token}
        connection.request("POST", "/", json.dumps(body), headers)
        content = connection.getresponse().read()
        total += len(content)
        at = content.rfind(b'"NextToken":"')
        if at < 0:
            return total
        token = {"NextToken": content[at + 13 :].split(b'"')[0].decode()}


def _mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


def _highest(process: psutil.Process) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
