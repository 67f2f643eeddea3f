"""What callers changed in the services left to moto is there again after kill -9."""

from __future__ import annotations

import pytest

from sandbox.moto_journal import LIMIT, Entry, Journal, changes
from tests.sandbox.account import Account, wait_until

AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/sns/aws4_request, "
    f"SignedHeaders=host, Signature={'a' * 64}"
)


def entry(number):
    body = b"Action=CreateTopic&Name=\xff\x00"
    headers = [("Authorization", AUTHORIZATION), ("X-Amz-Date", "20261122T000000Z")]
    return Entry(1.5 * number, number, "POST", "/", "a=b", headers, body)


def test_entries_come_back_in_order_and_without_signatures(tmp_path):
    journal = Journal(tmp_path / "moto.sqlite")
    journal.append(entry(2))
    journal.append(entry(1))
    journal.close()

    journal = Journal(tmp_path / "moto.sqlite")
    first, second = journal.entries()
    journal.close()

    assert (first.seed, second.seed) == (2, 1)
    assert first.body == entry(2).body
    assert f"Signature={'0' * 64}" in dict(first.headers)["Authorization"]
    assert "Credential=AKIA/20261122/us-east-1/sns" in dict(first.headers)["Authorization"]


def test_a_callers_session_is_not_written_down(tmp_path):
    path = tmp_path / "moto.sqlite"
    query = f"Action=CreateTopic&X-Amz-Security-Token=se%2Fcret&X-Amz-Signature={'a' * 64}&Name=t"
    headers = [("x-amz-security-token", "secret"), ("Host", "here")]
    journal = Journal(path)
    journal.append(Entry(1.0, 1, "GET", "/", query, headers, b""))
    (kept,) = journal.entries()
    journal.close()

    assert kept.query == f"Action=CreateTopic&X-Amz-Signature={'0' * 64}&Name=t"
    assert kept.headers == [("Host", "here")]


def test_a_journal_takes_only_so_many_entries(tmp_path):
    journal = Journal(tmp_path / "moto.sqlite")
    for number in range(LIMIT):
        assert not journal.full
        journal.append(entry(number))

    assert journal.full
    journal.close()


@pytest.mark.parametrize(
    ("operation", "changing"),
    [
        ("CreateTopic", True),
        ("AuthorizeSecurityGroupIngress", True),
        ("DescribeSecurityGroups", False),
        ("BatchGetImage", False),
        ("BatchCheckLayerAvailability", False),
        ("BatchDeleteImage", True),
        ("Decrypt", False),
        ("GenerateDataKeyWithoutPlaintext", False),
        ("SignUp", True),
        ("GetRole", False),
        ("SendMessage", False),
        ("ReceiveMessage", False),
    ],
)
def test_what_changes_an_account_is_told_by_its_name(operation, changing):
    assert changes(operation) == changing


def test_changes_survive_kill_9_with_their_ids_and_dates(tmp_path):
    first = Account(tmp_path / "home").ready()
    ec2 = first.client("ec2")
    group = ec2.create_security_group(GroupName="late", Description="made after the start")
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="10.0.0.0/8"
    )
    key = first.client("iam").create_user(UserName="late")["User"]
    first.process.kill()
    first.stop()

    second = Account(tmp_path / "home", ports=(first.port, first.alb_port))
    wait_until(second._answers)

    try:
        (found,) = second.client("ec2").describe_security_groups(GroupIds=[group["GroupId"]])[
            "SecurityGroups"
        ]
        user = second.client("iam").get_user(UserName="late")["User"]
    finally:
        second.stop()
    assert found["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]
    assert (user["UserId"], user["CreateDate"]) == (key["UserId"], key["CreateDate"])


def test_an_entry_that_cannot_be_repeated_does_not_stop_the_others(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    journal = Journal(home / "moto.sqlite")
    unknown = [("Authorization", AUTHORIZATION.replace("/sns/", "/no-such-service/"))]
    journal.append(Entry(1.0, 1, "POST", "/", "", unknown, b"Action=Nothing"))
    known = [
        ("Authorization", AUTHORIZATION),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Host", "sns.us-east-1.amazonaws.com"),
    ]
    journal.append(Entry(2.0, 2, "POST", "/", "", known, b"Action=CreateTopic&Name=kept"))
    journal.close()

    account = Account(home)
    try:
        wait_until(account._answers)
        topics = account.client("sns").list_topics()["Topics"]
    finally:
        account.stop()

    assert any(topic["TopicArn"].endswith(":kept") for topic in topics)
