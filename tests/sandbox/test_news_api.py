"""The sandbox with the real workload: real gunicorn, real PostgreSQL, real Valkey."""

from __future__ import annotations

import json
import os
import uuid

import psycopg
import pytest
from psycopg import sql

from tests.sandbox.account import Account, wait_until

REAL_TIME = {
    "SANDBOX_SECONDS_PER_MINUTE": "0.5",
    "SANDBOX_HEALTH_INTERVAL": "0.3",
    "SANDBOX_VISIBILITY_SECONDS": "0.2",
    "SANDBOX_TASK_COMMAND": "",
}


@pytest.fixture(scope="module")
def news_database():
    """An empty database for one News API."""
    name = f"news_{uuid.uuid4().hex[:12]}"
    administration = os.environ["NEWS_DATABASE_URL"]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield administration.replace("/news?", f"/{name}?")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        connection.execute(drop)


@pytest.fixture(scope="module")
def real_account(tmp_path_factory, news_database):
    home = tmp_path_factory.mktemp("real") / "home"
    environment = REAL_TIME | {"NEWS_DATABASE_URL": news_database}
    account = Account(home, traffic=10, environment=environment).ready()
    yield account
    account.stop()


def articles(account):
    status, _, body = account.get("/v1/articles?limit=5")
    return json.loads(body)["items"] if status == 200 else []


def versions(account):
    """The image versions of the targets that take production traffic."""
    balancer = account.control("GET", "status")["load_balancers"]["news-production"]
    return {t["version"] for t in balancer["targets"] if balancer["weights"][t["target_group"]]}


def logged(account, pattern):
    """Lines of the News API's log that match a filter pattern."""
    logs = account.client("logs")
    return logs.filter_log_events(logGroupName="/ecs/news-api", filterPattern=pattern)["events"]


def test_the_news_api_serves_what_it_read_and_a_release_replaces_it(real_account):
    read = wait_until(lambda: articles(real_account))
    feed = {article["url"].split("/")[2] for article in read}
    before = versions(real_account)

    arn = real_account.release("1.4.1", strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    done = real_account.finished(arn)

    assert all(host.endswith(".example") for host in feed)
    assert len(before) == 1
    assert before != {"1.4.1"}
    assert done["status"] == "SUCCESSFUL"
    assert versions(real_account) == {"1.4.1"}
    assert articles(real_account)


def test_an_image_with_errors_answers_some_requests_with_500(real_account):
    wait_until(lambda: articles(real_account))
    arn = real_account.release("1.4.2-errors", strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    assert real_account.finished(arn)["status"] == "SUCCESSFUL"

    statuses = set()
    wait_until(lambda: statuses.add(real_account.get("/v1/sources")[0]) or len(statuses) > 1)

    assert statuses == {200, 500}
    assert wait_until(lambda: logged(real_account, '{ $.status = 500 && $.version = "1.4.2*" }'))
