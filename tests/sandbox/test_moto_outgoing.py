"""What moto would send by itself does not leave this machine."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from requests.exceptions import ConnectionError as NotConnected

from sandbox.moto_outgoing import TIMEOUT, confined


@pytest.fixture
def topic(account):
    sns = account.client("sns")
    arn = sns.create_topic(Name="outgoing")["TopicArn"]
    yield arn
    sns.delete_topic(TopicArn=arn)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://example.com/hook",
        "http://169.254.169.254/latest",
        "http://127.0.0.1.example.com/",
        "http://127.0.0.1@example.com/",
        "http://[2001:db8::1/",
        "nowhere",
    ],
)
def test_nobody_elsewhere_can_subscribe(account, topic, endpoint):
    sns = account.client("sns")
    protocol = "https" if endpoint.startswith("https") else "http"

    with pytest.raises(ClientError) as refused:
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)

    assert refused.value.response["Error"]["Code"] == "InvalidParameter"
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_server_on_this_machine_can_subscribe(account, topic):
    sns = account.client("sns")

    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint="http://127.0.0.1:9/hook")

    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [each["Endpoint"] for each in listed] == ["http://127.0.0.1:9/hook"]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://127.0.0.1:8080/", True),
        ("http://localhost/", True),
        ("http://[::1]:80/", True),
        ("https://example.com/", False),
        ("http://10.0.0.1/", False),
    ],
)
def test_requests_reach_loopback_only_and_do_not_wait_for_ever(url, sent):
    seen = []
    send = confined(lambda _, request, **options: seen.append((request.url, options["timeout"])))

    if sent:
        send(None, SimpleNamespace(url=url), timeout=None)
    else:
        with pytest.raises(NotConnected):
            send(None, SimpleNamespace(url=url), timeout=None)

    assert seen == ([(url, TIMEOUT)] if sent else [])
