"""CloudWatch's metric operations, answering in botocore's output shapes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox import clock as sandbox_clock
from sandbox import tokens
from sandbox.charges import METRICS_REQUESTED, Charges
from sandbox.cloudwatch import datapoints, labels, publishing, queries
from sandbox.cloudwatch.evaluation import Evaluation
from sandbox.cloudwatch.metrics import Aggregate, Metric
from sandbox.cloudwatch.pages import MAX_DATAPOINTS, Order, page
from sandbox.cloudwatch.publication import Publication
from sandbox.cloudwatch.source import Source, minute_of
from sandbox.cloudwatch.store import Batch, Store
from sandbox.errors import AwsError
from sandbox.history import History
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note, our_reading, simplified
from sandbox.names import ACCOUNT

METRICS_PER_PAGE = 500
_RECENTLY = timedelta(hours=3)
# Metrics without data for two weeks are no longer listed, though still readable.
_LISTED = timedelta(days=14)


class CloudWatch:
    """The account's metrics: computed before `epoch`, published since, kept in `home`."""

    NOTES = (
        Note(SIMPLIFIED, "Metrics from before the account's first start are computed."),
        Note(SIMPLIFIED, "Database and cache metrics are emulated from the request rate."),
        Note(
            SIMPLIFIED,
            "A minute that a clock stepped back lives through again holds what was measured last; "
            "the load balancer's requests of both are added up for half an hour.",
        ),
        Note(SIMPLIFIED, "A minute in which this machine had no time to measure has no data."),
        Note(
            OUR_READING,
            "A task counts in the CPU and memory of every minute in which it was RUNNING, also the "
            "last: SampleCount is the number of tasks that ran in the minute.",
        ),
        Note(SIMPLIFIED, "AWS/ApplicationELB has no metrics by AvailabilityZone."),
        Note(OUR_READING, "How late a minute is seen, and in which parts, is not documented."),
        Note(OUR_READING, "AWS/ECS and AWS/ElastiCache publish no single values: no percentiles."),
        Note(
            OUR_READING,
            "SEARCH labels are dimension values; scalars stand only where the guide says.",
        ),
    )

    def __init__(
        self,
        home: Path,
        epoch: datetime,
        *,
        clock: Callable[[], datetime] = sandbox_clock.now,
        delay_factor: float = 1.0,
    ) -> None:
        self._store = Store(home / "metrics.sqlite")
        self._publication = Publication(factor=delay_factor)
        self._source = Source(
            past=History(epoch), store=self._store, epoch=epoch, publication=self._publication
        )
        self._charges = Charges(home)
        self._clock = clock
        self.epoch_minute = minute_of(epoch)

    def close(self) -> None:
        """Release the database."""
        self._store.close()
        self._charges.close()

    @property
    def publication_delay(self) -> float:
        """Extra seconds (sandbox time) until a measured minute can be read."""
        return self._publication.delay

    @publication_delay.setter
    def publication_delay(self, seconds: float) -> None:
        self._publication.delay = seconds

    def roll_up(self) -> None:
        """Bring stored minutes down to the resolution kept at their age; takes long, blocks."""
        self._source.roll_up(self._clock())

    def publish(self, batch: Batch) -> None:
        """Set whole minutes, as AWS's own services do: (metric, minute) → (aggregate, unit)."""
        self._store.replace(batch)

    def published(self, metric: Metric, minute: int) -> Aggregate | None:
        """What was published for one minute (since 1970), None if nothing was."""
        return self._store.at(metric, minute)

    def last_minute(self, metric: Metric) -> int | None:
        """The newest minute published for a metric, None before the first."""
        return self._store.metrics().get(metric)

    @simplified("Entities are not kept. A metric has one unit.")
    @simplified("Below a minute, a minute put in both resolutions shows its seconds only.")
    @simplified("What is put can be read, and is listed, at once; old moments need no 48 hours.")
    def put_metric_data(
        self,
        *,
        Namespace: str,  # noqa: N803
        MetricData: list[dict[str, Any]] | None = None,  # noqa: N803
        EntityMetricData: list[dict[str, Any]] | None = None,  # noqa: N803
        **_: object,
    ) -> dict[str, Any]:
        """Add a caller's values to their minutes; raises AwsError."""
        data = list(MetricData or [])
        for entity in EntityMetricData or []:
            data += entity.get("MetricData", [])
        published = publishing.read(Namespace, data, self._clock())
        self._store.add(published.minutes, published.seconds)
        return {}

    @simplified("Percentiles and their kin are up to two per cent off: values are kept in buckets.")
    @simplified("Metrics Insights (SELECT), anomaly bands, service quotas and LAMBDA are refused.")
    @our_reading("Arithmetic over different periods keeps every timestamp; missing values are 0.")
    @our_reading("MIN, MAX and STDDEV of an array look at the series that have a value.")
    @our_reading("Operators bind as in C; a power binds to the right and before a minus sign.")
    @our_reading("FILL and TIME_SERIES reach to EndTime; LINEAR does not go beyond the last value.")
    @our_reading("An expression's Period matters to TIME_SERIES and to a SEARCH without one.")
    @our_reading("Numbers in dynamic labels have six digits, times are ISO 8601.")
    async def get_metric_data(self, **parameters: Any) -> dict[str, Any]:
        """Statistics and expressions over a window, a page at a time; raises AwsError.

        Runs in a thread: a day of 500 metrics must not hold up the gateway's other answers.
        """
        answer, searched = await asyncio.to_thread(self._metric_data, parameters)
        if "NextToken" not in parameters:
            asked = sum("MetricStat" in query for query in parameters["MetricDataQueries"])
            self._charges.add(METRICS_REQUESTED, asked + searched, self._clock())
        return answer

    async def data_for_alarms(self, *, grain: int, **parameters: Any) -> dict[str, Any]:
        """What GetMetricData would answer, for the account's own alarms: nobody is charged.

        StartTime is rounded to `grain` seconds, whatever the periods.
        """
        answer, _ = await asyncio.to_thread(self._metric_data, parameters, grain)
        return answer

    def _metric_data(
        self, parameters: Mapping[str, Any], grain: int | None = None
    ) -> tuple[dict[str, Any], int]:
        """A page, and how many metrics its searches read."""
        now = self._clock()
        parsed = queries.parse_queries(parameters["MetricDataQueries"])
        window = queries.window(
            parameters["StartTime"],
            parameters["EndTime"],
            now,
            grain or queries.grain_of(queries.periods(parsed)),
        )
        evaluation = Evaluation(
            queries=parsed,
            window=window,
            source=self._source,
            now=now,
            zone=labels.zone((parameters.get("LabelOptions") or {}).get("Timezone")),
        )
        limit = parameters.get("MaxDatapoints") or MAX_DATAPOINTS
        if not 0 < limit <= MAX_DATAPOINTS:
            raise queries.refuse(f"MaxDatapoints must be between 1 and {MAX_DATAPOINTS}.")
        answer = page(
            queries=parsed,
            evaluation=evaluation,
            order=Order(limit, parameters.get("ScanBy") != "TimestampAscending"),
            token=parameters.get("NextToken"),
            parameters={key: parameters[key] for key in parameters if key != "NextToken"},
        )
        return answer, evaluation.searched

    @simplified("Percentiles and their kin are up to two per cent off: values are kept in buckets.")
    async def get_metric_statistics(self, **parameters: Any) -> dict[str, Any]:
        """Several statistics of one metric, at most 1,440 points; raises AwsError."""
        return await asyncio.to_thread(self._metric_statistics, parameters)

    def _metric_statistics(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return datapoints.answer(parameters, source=self._source, now=self._clock())

    @simplified("A metric is listed at once, not after up to 15 minutes.")
    def list_metrics(self, **parameters: Any) -> dict[str, Any]:
        """Metrics by namespace, name and dimensions, 500 a page; raises AwsError."""
        recent = parameters.get("RecentlyActive")
        if recent not in {None, "PT3H"}:
            raise AwsError("InvalidParameterValue", "RecentlyActive must be PT3H.")
        if parameters.get("OwningAccount") not in {None, ACCOUNT}:
            raise AwsError("InvalidParameterValue", "OwningAccount is not linked to this account.")
        oldest = minute_of(self._clock() - (_RECENTLY if recent else _LISTED))
        found = sorted(
            metric
            for metric, last in self._source.last_minutes().items()
            if last >= oldest and _matches(metric, parameters)
        )
        filters = {key: parameters[key] for key in parameters if key != "NextToken"}
        begin = _begin(parameters.get("NextToken"), filters)
        end = begin + METRICS_PER_PAGE
        answer: dict[str, Any] = {"Metrics": [metric.as_dict() for metric in found[begin:end]]}
        if parameters.get("IncludeLinkedAccounts"):
            answer["OwningAccounts"] = [ACCOUNT] * len(answer["Metrics"])
        if end < len(found):
            answer["NextToken"] = tokens.write([end], filters)
        return answer


def _matches(metric: Metric, parameters: Mapping[str, Any]) -> bool:
    """Whether a metric passes the filters; a filter without value asks for the name only."""
    if parameters.get("Namespace") not in {None, metric.namespace}:
        return False
    if parameters.get("MetricName") not in {None, metric.name}:
        return False
    has = dict(metric.dimensions)
    asked: Iterable[Mapping[str, str]] = parameters.get("Dimensions") or ()
    return all(
        want["Name"] in has and want.get("Value") in {None, has[want["Name"]]} for want in asked
    )


def _begin(token: str | None, filters: Mapping[str, Any]) -> int:
    if token is None:
        return 0
    try:
        return tokens.read(token, filters)[0]
    except tokens.WrongToken as error:
        raise AwsError("InvalidParameterValue", "The next token is invalid.") from error
