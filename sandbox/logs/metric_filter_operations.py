"""Operations on metric filters."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.errors import AwsError
from sandbox.honesty import simplified
from sandbox.logs import patterns
from sandbox.logs.errors import at_most, invalid, missing, refuse
from sandbox.logs.groups import find, milliseconds
from sandbox.logs.metric_filters import MAX_FILTERS, Filter, Filters, checked, checked_pattern
from sandbox.logs.pages import page
from sandbox.logs.store import Store

Answer = dict[str, Any]


class MetricFilters:
    """Metric filters."""

    def __init__(self, store: Store, filters: Filters) -> None:
        self._store = store
        self._filters = filters

    @simplified("Transformed logs, field selection and system field dimensions are refused.")
    def put_metric_filter(
        self,
        logGroupName: str,
        filterName: str,
        filterPattern: str,
        metricTransformations: Sequence[Mapping[str, Any]],
        **unsupported: Any,
    ) -> Answer:
        """Add or replace a filter; it looks at events from now on."""
        refuse(**unsupported)
        group = find(self._store, logGroupName)
        if group.kind != "STANDARD":
            message = f"Metric filters are not supported for the log class {group.kind}."
            raise AwsError("InvalidOperationException", message)
        names = {each.name for each in self._filters.of(group.name)}
        if len(names | {filterName}) > MAX_FILTERS:
            raise AwsError("LimitExceededException", "Resource limit exceeded.")
        self._filters.put(
            Filter(
                group=group.name,
                name=filterName,
                pattern=checked_pattern(filterPattern),
                transformation=checked(metricTransformations),
                created=milliseconds(),
            )
        )
        return {}

    def describe_metric_filters(
        self,
        logGroupName: str | None = None,
        filterNamePrefix: str = "",
        metricName: str | None = None,
        metricNamespace: str | None = None,
        nextToken: str | None = None,
        limit: int | None = None,
    ) -> Answer:
        """Filters of one group or of all, by page of at most 50."""
        if bool(metricName) != bool(metricNamespace):
            raise invalid("metricName and metricNamespace must be specified together.")
        size = at_most("limit", limit, 50, 50)
        group = find(self._store, logGroupName).name if logGroupName else None
        chosen = [
            each
            for each in self._filters
            if group in (None, each.group)
            and each.name.startswith(filterNamePrefix)
            and metricName in (None, each.metric.name)
            and metricNamespace in (None, each.metric.namespace)
        ]
        asked = {"of": [group, filterNamePrefix, metricName, metricNamespace]}
        shown, more = page(chosen, nextToken, size, asked)
        return {"metricFilters": [_shown(each) for each in shown], **more}

    def delete_metric_filter(self, logGroupName: str, filterName: str) -> Answer:
        """Remove a filter; what it published stays."""
        group = find(self._store, logGroupName)
        found = self._filters.find(group.name, filterName)
        if found is None:
            raise missing("metric filter")
        self._filters.delete(found)
        return {}

    async def test_metric_filter(
        self, filterPattern: str, logEventMessages: Sequence[str]
    ) -> Answer:
        """Which of at most 50 messages match, and what was taken from them."""
        at_most("logEventMessages", len(logEventMessages), 50, 0)
        match = patterns.parse(checked_pattern(filterPattern))
        matched = await asyncio.to_thread(lambda: [match(text) for text in logEventMessages])
        found = zip(range(1, len(matched) + 1), logEventMessages, matched, strict=True)
        return {
            "matches": [
                {"eventNumber": place, "eventMessage": text, "extractedValues": dict(values)}
                for place, text, values in found
                if values is not None
            ]
        }


def _shown(each: Filter) -> Answer:
    return {
        "filterName": each.name,
        "filterPattern": each.pattern,
        "metricTransformations": [each.transformation],
        "creationTime": each.created,
        "logGroupName": each.group,
        "applyOnTransformedLogs": False,
    }
