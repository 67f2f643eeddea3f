"""Logs Insights through boto3, over what real processes wrote and over what tests put."""

from __future__ import annotations

import json
import time

import pytest

from sandbox.errors import AwsError
from sandbox.logs.insights import __main__ as process
from sandbox.logs.insights.execution import TooManyRows
from sandbox.logs.query_log import Query
from sandbox.logs.query_process import QueryProcess
from sandbox.logs.runner import Runner, _Run
from sandbox.logs.store import Store
from tests.sandbox.account import wait_until
from tests.sandbox.contract import checked


@pytest.fixture
def group(logs, request):
    """A group of the test's own: ten JSON events, the last of them a minute ago."""
    name = f"/query/{request.node.name[:60]}"
    logs.create_log_group(logGroupName=name)
    logs.create_log_stream(logGroupName=name, logStreamName="s")
    begin = int(time.time() * 1000) - 70_000
    events = [
        {"timestamp": begin + n * 1000, "message": json.dumps({"n": n, "of": {"three": n % 3}})}
        for n in range(10)
    ]
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=events)
    yield name
    logs.delete_log_group(logGroupName=name)


# A search that goes back never comes to the end of it.
ENDLESS = "filter concat(@message, '" + "a" * 50 + "!') like /(a|a)+$/"


def window():
    at = int(time.time())
    return {"startTime": at - 600, "endTime": at + 600}


def ask(logs, query, group, **asked):
    """The answer to a query once it is over."""
    started = checked(
        logs, "StartQuery", queryString=query, **window(), **{"logGroupName": group, **asked}
    )

    def over():
        answer = checked(logs, "GetQueryResults", queryId=started["queryId"])
        return answer if answer["status"] not in ("Scheduled", "Running") else None

    return wait_until(over) | started


def rows(answer):
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


def test_a_request_through_the_load_balancer_is_in_the_log_within_seconds(account, logs):
    marker = f"/logged/{time.time_ns()}"
    status, _, body = account.get(marker)
    task = json.loads(body)["task"]

    def filtered():
        return logs.filter_log_events(
            logGroupName="/ecs/news-api", filterPattern=f'{{ $.path = "{marker}" }}'
        )["events"]

    (event,) = wait_until(filtered)
    answer = ask(logs, f'fields status, @logStream | filter path = "{marker}"', "/ecs/news-api")

    assert status == 200
    assert event["logStreamName"] == f"web/news-api/{task}"
    (row,) = rows(answer)
    assert (row["status"], row["@logStream"]) == ("200", event["logStreamName"])


def test_a_query_tells_what_it_scanned(logs, group):
    query = "filter n >= 5 | stats count(*) as many by of.three | sort many desc, of.three desc"
    answer = ask(logs, query, group)

    assert answer["status"] == "Complete"
    assert rows(answer)[0] == {"of.three": "2", "many": "2"}
    assert {name: answer["statistics"][name] for name in ("recordsScanned", "recordsMatched")} == {
        "recordsScanned": 10.0,
        "recordsMatched": 5.0,
    }
    assert answer["statistics"]["bytesScanned"] == 10 * len('{"n": 0, "of": {"three": 0}}')
    (listed, *_) = checked(logs, "DescribeQueries", logGroupName=group)["queries"]
    assert (listed["queryId"], listed["status"]) == (answer["queryId"], "Complete")
    groups = checked(logs, "ListLogGroupsForQuery", queryId=answer["queryId"])
    assert groups["logGroupIdentifiers"][0].endswith(f":log-group:{group}")


def test_a_row_leads_to_its_record(logs, group):
    (row, *_) = rows(ask(logs, "fields n", group))

    record = checked(logs, "GetLogRecord", logRecordPointer=row["@ptr"])["logRecord"]

    assert (record["n"], record["of.three"], record["@logStream"]) == ("9", "0", "s")
    fields = checked(logs, "GetLogGroupFields", logGroupName=group)["logGroupFields"]
    assert {"name": "of.three", "percent": 100} in fields


def test_results_come_by_page(logs, group):
    answer = ask(logs, "fields n | sort n asc", group, limit=7)

    pages, token = [], {}
    while token is not None:
        page = logs.get_query_results(queryId=answer["queryId"], maxItems=3, **token)
        pages.append([row["n"] for row in rows(page)])
        token = {"nextToken": page["nextToken"]} if "nextToken" in page else None

    assert pages == [["0", "1", "2"], ["3", "4", "5"], ["6"]]


def test_several_groups_are_named_by_name_or_arn(logs, group):
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]
    started = logs.start_query(
        logGroupIdentifiers=[arn, "/ecs/news-ingest"],
        queryString="filter n = 1 | fields @log",
        **window(),
    )

    answer = wait_until(lambda: _complete(logs, started["queryId"]))

    assert rows(answer)[0]["@log"] == f"123456789012:{group}"
    assert answer["statistics"]["logGroupsScanned"] == 2.0


def _complete(logs, query_id):
    answer = logs.get_query_results(queryId=query_id)
    return answer if answer["status"] == "Complete" else None


def test_a_query_that_does_not_compile_is_refused_with_the_place(logs, group):
    with pytest.raises(logs.exceptions.MalformedQueryException) as refused:
        logs.start_query(logGroupName=group, queryString="fields a | count()", **window())

    assert refused.value.response["queryCompileError"] == {
        "location": {"startCharOffset": 11, "endCharOffset": 16},
        "message": "unexpected symbol found count",
    }


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"logGroupName": "none"}, "ResourceNotFoundException"),
        ({"logGroupNames": ["/ecs/news-ingest"]}, "InvalidParameterException"),
        ({"queryLanguage": "SQL"}, "InvalidParameterException"),
        ({"limit": 100_001}, "InvalidParameterException"),
        ({"startTime": int(time.time()) + 9999}, "InvalidParameterException"),
        ({"startTime": 1, "endTime": 2}, "MalformedQueryException"),
        ({"queryString": "diff"}, "MalformedQueryException"),
    ],
)
def test_a_query_aws_would_not_start_is_refused(logs, change, code):
    asked = {"logGroupName": "/ecs/news-api", "queryString": "fields a", **window(), **change}

    with pytest.raises(logs.exceptions.ClientError) as refused:
        logs.start_query(**asked)

    assert refused.value.response["Error"]["Code"] == code


def test_a_query_that_is_over_cannot_be_stopped(logs, group):
    answer = ask(logs, "fields n", group)

    with pytest.raises(logs.exceptions.InvalidParameterException):
        logs.stop_query(queryId=answer["queryId"])
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.stop_query(queryId="none")


def test_saved_queries(logs, group):
    saved = {"name": "news/slow", "queryString": "filter ms > {{limit}}", "logGroupNames": [group]}
    parameters = [{"name": "limit", "defaultValue": "100"}]
    token = "t" * 36
    first = checked(logs, "PutQueryDefinition", **saved, parameters=parameters, clientToken=token)
    again = logs.put_query_definition(**saved, parameters=parameters, clientToken=token)

    changed = saved | {"name": "news/slower", "queryDefinitionId": first["queryDefinitionId"]}
    logs.put_query_definition(**changed)

    assert again["queryDefinitionId"] == first["queryDefinitionId"]
    asked = {"queryDefinitionNamePrefix": "news/"}
    (shown,) = checked(logs, "DescribeQueryDefinitions", **asked)["queryDefinitions"]
    assert (shown["name"], shown["queryDefinitionId"]) == (
        "news/slower",
        first["queryDefinitionId"],
    )
    gone = {"queryDefinitionId": first["queryDefinitionId"]}
    assert checked(logs, "DeleteQueryDefinition", **gone)["success"]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.delete_query_definition(**gone)


# -- without a process -----------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "logs.sqlite")
    group = store.create_group("/g", 1)
    store.create_stream(group, "s", 1)
    store.append(group, "s", [(n, json.dumps({"n": n})) for n in range(3_000)], 1)
    yield store
    store.close()


@pytest.fixture
def runner(tmp_path, store):
    runner = Runner(tmp_path, store, max_concurrent=3)
    yield runner
    runner.close()


def start(runner, store, name, text):
    query = Query(name, int(time.time() * 1000), text, ["/g"])
    runner.start(query, store.groups(), (0, 2**62), limit=10)
    return query


def ended(runner, name):
    return wait_until(lambda: found if (found := runner.query(name)).over else None).status


def test_queries_beyond_the_quota_are_refused_until_others_end(runner, store):
    first, *_ = [start(runner, store, f"q{n}", ENDLESS) for n in range(3)]

    with pytest.raises(AwsError) as refused:
        start(runner, store, "one more", "fields n")

    assert refused.value.code == "LimitExceededException"
    runner.stop(first)
    wait_until(lambda: first.query_id not in runner._runs)
    start(runner, store, "one more", "fields n")


def test_a_stopped_query_is_cancelled_and_stays_so(runner, store):
    texts = ["stats sum(n) as s", "stats sum(n) as s", ENDLESS]
    queries = [start(runner, store, f"q{n}", text) for n, text in enumerate(texts)]

    stopped = runner.stop(queries[2])

    assert stopped
    assert not runner.stop(queries[2])
    assert [ended(runner, query.query_id) for query in queries] == [
        "Complete",
        "Complete",
        "Cancelled",
    ]


def test_a_query_that_wants_more_memory_than_there_is_has_failed(runner, store):
    doubling = " | ".join(f"fields concat(x{n}, x{n}) as x{n + 1}" for n in range(40))

    start(runner, store, "greedy", f"fields @message as x0 | {doubling} | filter x40 = 1")

    assert ended(runner, "greedy") == "Failed"
    assert runner.results(runner.query("greedy")) == []


def test_queries_whose_rows_cannot_be_kept_have_failed_and_are_in_nobodys_way(
    runner, store, monkeypatch
):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(runner._charges, "add", full)
    lost = [f"q{n}" for n in range(runner.max_concurrent)]
    for name in lost:
        start(runner, store, name, "stats sum(n) as s")
    statuses = [ended(runner, name) for name in lost]
    monkeypatch.undo()

    start(runner, store, "later", "stats sum(n) as s")

    assert statuses == ["Failed"] * runner.max_concurrent
    assert runner.results(runner.query(lost[0])) == []
    assert ended(runner, "later") == "Complete"


def job(store, text):
    """What a query's process is told, but for how long it may run."""
    groups = [(group.number, group.name) for group in store.groups()]
    about = {"database": store.path, "groups": groups, "bounds": (0, 2**62)}
    return {"query": text, "limit": 10, "began": 0, **about}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fields n", [str(n) for n in range(2999, 2989, -1)]),
        ("stats sum(n) as n", [str(sum(range(2990, 3000)))]),
        ("stats sum(n) as n by n % 3 as m | stats max(n) as n", []),
    ],
)
def test_what_a_query_found_so_far_is_told_where_it_says_anything(store, monkeypatch, text, shown):
    monkeypatch.setattr(process, "CHUNK", 10)
    monkeypatch.setattr(process, "TOLD_SECONDS", 0)
    told = []

    process.run(
        job(store, text), lambda counted, rows, *, over: told.append((counted[0], over, rows))
    )

    assert told[0][:2] == (10, False)
    assert [row[0]["value"] for row in told[0][2]] == shown
    assert told[-1][:2] == (3000, True)


def test_a_query_with_more_to_show_than_one_may_read_fails(store, monkeypatch):
    monkeypatch.setattr(process, "RESULT_BYTES", 400)

    with pytest.raises(TooManyRows):
        process.run(job(store, "fields n"), process._say)


def test_a_query_that_never_comes_to_an_end_times_out(tmp_path, store):
    runner = Runner(tmp_path, store, seconds=1)

    start(runner, store, "endless", ENDLESS)

    assert ended(runner, "endless") == "Timeout"
    runner.close()


def test_a_query_that_never_comes_to_an_end_can_be_stopped(runner, store):
    start(runner, store, "endless", ENDLESS)
    wait_until(lambda: runner.query("endless").status == "Running")

    runner.stop(runner.query("endless"))

    wait_until(lambda: "endless" not in runner._runs)
    assert runner.query("endless").status == "Cancelled"


@pytest.mark.parametrize("size", [10, 500_000])
def test_a_query_that_is_killed_before_it_has_read_what_to_do_says_nothing(size):
    early = QueryProcess({"query": "x" * size})
    early.kill()
    early._process.wait()

    assert list(early.said()) == []
    assert early._process.stdin.closed
    assert early._process.stdout.closed


def test_who_was_told_that_a_query_is_stopped_finds_it_cancelled():
    stopped, finished = (_Run(Query(name, 0, "fields n", ["/g"]), {}) for name in ("s", "f"))

    assert stopped.stop()
    assert stopped.end("Complete") == "Cancelled"
    assert finished.end("Complete") == "Complete"
    assert not finished.stop()


def test_queries_that_never_come_to_an_end_leave_the_account_alone(logs, group):
    asked = [
        logs.start_query(logGroupName=group, queryString=ENDLESS, **window()) for _ in range(2)
    ]

    assert rows(ask(logs, "stats count(*) as n", group)) == [{"n": "10"}]
    for each in asked:
        assert logs.stop_query(queryId=each["queryId"])["success"]


def test_results_are_there_after_a_restart_and_what_was_running_failed(tmp_path, runner, store):
    done = start(runner, store, "done", "stats sum(n) as s")
    ended(runner, "done")
    runner._log.save(Query("lost", done.created, "fields n", ["/g"], "Running"))

    again = Runner(tmp_path, store)

    assert again.results(again.query("done")) == [[{"field": "s", "value": "4498500"}]]
    assert again.query("lost").status == "Failed"
    again.close()
