"""Operations of Logs Insights: start, follow, stop and list queries."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

from sandbox.errors import AwsError
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note, our_reading, simplified
from sandbox.logs.errors import at_most, invalid, missing
from sandbox.logs.groups import arn, find, milliseconds
from sandbox.logs.insights.plan import plan
from sandbox.logs.insights.syntax import CompileError
from sandbox.logs.pages import page
from sandbox.logs.query_log import Query
from sandbox.logs.runner import Runner
from sandbox.logs.store import DAY_MS, Group, Store
from sandbox.names import CALLER

Answer = dict[str, Any]

MAX_GROUPS = 50
MAX_LIMIT = 100_000
DEFAULT_LIMIT = 10_000
PAGE = 10_000
MAX_QUERY = 10_000
# The last second that is looked at: beyond any event, and a number the database can hold.
_EVER = 2**52
_OUT_OF_RANGE = (
    "Query's end date and time is either before the log groups creation time or exceeds the log "
    "groups log retention settings"
)


class Queries:
    """Queries in Logs Insights QL."""

    NOTES = (
        Note(
            SIMPLIFIED,
            "Insights has no pattern, diff, anomaly, unmask, filterIndex, join, lookup, SOURCE, "
            "unnest, expand, addtotals, SQL or PPL: such a query does not compile.",
        ),
        Note(
            SIMPLIFIED,
            "Insights: each query has a process of its own; it ends as Timeout after a minute of "
            "processor time (60 minutes on AWS), as Failed beyond 512 MiB, 200,000 rows kept or "
            "64 MiB answered.",
        ),
        Note(
            OUR_READING,
            "In Insights a missing field fulfils !=, not like and not in, and no other comparison.",
        ),
        Note(
            OUR_READING,
            "Insights: pct interpolates between the closest ranks, stddev is the sample's, "
            "computed numbers have at most four decimals, weeks begin on Mondays.",
        ),
        Note(
            OUR_READING,
            "Insights: without an ephemeral or aggregate column a row shows @timestamp and "
            "@message; parse adds its fields to those two.",
        ),
        Note(
            OUR_READING,
            "Insights: of a JSON message the first 200 fields are discovered, of one that is "
            "nested deeper than 200 levels none.",
        ),
        Note(
            OUR_READING,
            "The wording of compile errors is AWS's for unexpected symbols and for names unknown "
            "behind stats, ours for the rest.",
        ),
    )

    def __init__(self, store: Store, runner: Runner) -> None:
        self._store = store
        self._runner = runner

    @simplified("Queries in SQL and PPL, and the ten requests a second, are left out.")
    @our_reading("A limit in the query and the parameter limit both hold: the smaller one counts.")
    async def start_query(
        self,
        startTime: int,
        endTime: int,
        queryString: str,
        logGroupName: str | None = None,
        logGroupNames: Sequence[str] = (),
        logGroupIdentifiers: Sequence[str] = (),
        limit: int | None = None,
        queryLanguage: str = "CWLI",
    ) -> Answer:
        """Begin a query over a range of epoch seconds, both ends inclusive."""
        if queryLanguage != "CWLI":
            raise invalid(f"The sandbox does not support the query language {queryLanguage}.")
        if startTime > endTime:
            raise invalid("Query start time must not be after its end time.")
        at_most("queryString", len(queryString), MAX_QUERY, 0)
        size = at_most("limit", limit, MAX_LIMIT, DEFAULT_LIMIT)
        await asyncio.to_thread(_check, queryString, size)
        groups = self._groups(logGroupName, logGroupNames, logGroupIdentifiers)
        if all(endTime * 1000 < _oldest(group) for group in groups):
            raise malformed(CompileError(_OUT_OF_RANGE, 0, len(queryString)))
        query = Query(
            query_id=str(uuid.uuid4()),
            created=milliseconds(),
            text=queryString,
            groups=[group.name for group in groups],
        )
        bounds = (min(startTime, _EVER) * 1000, min(endTime, _EVER) * 1000 + 1)
        self._runner.start(query, groups, bounds, limit=size)
        return {"queryId": query.query_id}

    def _groups(
        self, name: str | None, names: Sequence[str], identifiers: Sequence[str]
    ) -> list[Group]:
        given = [[name] if name else [], list(names), list(identifiers)]
        if sum(bool(each) for each in given) != 1:
            raise invalid(
                "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers is required."
            )
        wanted = [each for every in given for each in every]
        at_most("logGroupNames", len(wanted), MAX_GROUPS, 0)
        found = {group.name: group for group in (find(self._store, each) for each in wanted)}
        return list(found.values())

    async def get_query_results(
        self, queryId: str, nextToken: str | None = None, maxItems: int | None = None
    ) -> Answer:
        """What a query has found, so far while it runs, by page of at most 10,000 rows."""
        size = at_most("maxItems", maxItems, PAGE, PAGE) or PAGE
        query = self._query(queryId)
        # Read first: a query that ends meanwhile must not call its first rows all of them.
        status = query.status
        results = await asyncio.to_thread(self._runner.results, query)
        shown, more = page(results, nextToken, size, {"query": queryId})
        return {
            "queryLanguage": "CWLI",
            "results": shown,
            "statistics": query.statistics,
            "status": status,
            **more,
        }

    def stop_query(self, queryId: str) -> Answer:
        """Cancel a query that has not ended."""
        if not self._runner.stop(self._query(queryId)):
            raise invalid("The specified query is not running.")
        return {"success": True}

    def _query(self, query_id: str) -> Query:
        found = self._runner.query(query_id)
        if found is None:
            raise missing("query")
        return found

    def describe_queries(
        self,
        logGroupName: str | None = None,
        status: str | None = None,
        queryLanguage: str | None = None,
        maxResults: int | None = None,
        nextToken: str | None = None,
    ) -> Answer:
        """Queries of the last seven days, the newest first."""
        size = at_most("maxResults", maxResults, 1000, 1000)
        if logGroupName:
            find(self._store, logGroupName)
        chosen = [
            query
            for query in self._runner.queries()
            if status in (None, query.status)
            and (logGroupName is None or logGroupName in query.groups)
            and queryLanguage in (None, "CWLI")
        ]
        asked = {"of": [logGroupName, status, queryLanguage]}
        shown, more = page(chosen, nextToken, size, asked)
        return {"queries": [_shown(query) for query in shown], **more}

    def list_log_groups_for_query(
        self, queryId: str, nextToken: str | None = None, maxResults: int | None = None
    ) -> Answer:
        """The ARNs of the groups that a query reads."""
        size = at_most("maxResults", maxResults, 500, 500)
        groups = [arn(name) for name in self._query(queryId).groups]
        shown, more = page(groups, nextToken, size, {"query": queryId})
        return {"logGroupIdentifiers": shown, **more}


def _oldest(group: Group) -> int:
    """Before this moment a group has no events: it was not there, or they have expired."""
    kept = group.retention
    return max(group.created, milliseconds() - kept * DAY_MS if kept else 0)


def _check(query: str, limit: int) -> None:
    """Raise MalformedQueryException for a query that does not compile."""
    try:
        plan(query, limit)
    except CompileError as error:
        raise malformed(error) from error


def malformed(error: CompileError) -> AwsError:
    """MalformedQueryException with the place and the text of a compile error."""
    place = {"startCharOffset": error.begin, "endCharOffset": error.end}
    detail = {"queryCompileError": {"location": place, "message": error.message}}
    return AwsError("MalformedQueryException", error.message, detail=detail)


def _shown(query: Query) -> Answer:
    return {
        "queryLanguage": "CWLI",
        "queryId": query.query_id,
        "queryString": query.text,
        "status": query.status,
        "createTime": query.created,
        "logGroupName": query.groups[0],
        "queryDuration": query.duration,
        "bytesScanned": query.statistics.get("bytesScanned", 0.0),
        "userIdentity": CALLER,
    }
