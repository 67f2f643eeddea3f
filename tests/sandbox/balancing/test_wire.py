"""Load balancers that clients make, and what their requests meet."""

from __future__ import annotations

import json
import threading
import urllib.request
from http.client import HTTPConnection

import pytest

from tests.sandbox.account import wait_until
from tests.sandbox.balancing.lab import NOTHING, forward, path, weighed
from tests.sandbox.contract import checked


def test_a_new_load_balancer_answers_where_its_listener_does(account, lab):
    lab.listen()

    status, headers, body = lab.ask("/anything")

    assert (status, body) == (404, b"nothing here")
    assert headers["Server"] == "awselb/2.0"


def test_a_rule_carries_requests_to_targets_that_pass_their_health_checks(lab):
    group = lab.group("a")
    listener = lab.listen()
    lab.rule(listener, 10, path("/a/*"), forward(group))
    server = lab.server("a")
    server.health = 503
    before = lab.name_at("/a/1")

    lab.elb.register_targets(TargetGroupArn=group, Targets=[server.target])
    wait_until(lambda: lab.health(group) == ["unhealthy"])
    server.health = 200
    lab.healthy(group)

    assert before == 503
    assert lab.name_at("/a/1") == "a"
    assert lab.name_at("/b") == 404


def test_rules_are_asked_by_priority_and_can_change_places(lab):
    listener = lab.listen()
    groups = [lab.group("a"), lab.group("b")]
    for name, group in zip("ab", groups, strict=True):
        lab.server(name, group)
    rules = [
        lab.rule(listener, 10 * number, path("/x*"), forward(group))
        for number, group in enumerate(groups, 1)
    ]
    for group in groups:
        lab.healthy(group)
    before = lab.name_at("/x")

    answer = checked(
        lab.elb,
        "SetRulePriorities",
        RulePriorities=[
            {"RuleArn": rules[0], "Priority": 20},
            {"RuleArn": rules[1], "Priority": 10},
        ],
    )

    shown = lab.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert {rule["RuleArn"]: rule["Priority"] for rule in answer["Rules"]} == {
        rules[0]: "20",
        rules[1]: "10",
    }
    assert [rule["Priority"] for rule in shown] == ["10", "20", "default"]
    assert shown[0]["RuleArn"] == rules[1]
    assert (before, lab.name_at("/x")) == ("a", "b")


def test_a_rule_is_made_modified_and_deleted_and_traffic_follows(lab):
    listener, group = lab.listen(), lab.group("a")
    lab.server("a", group)

    made = checked(
        lab.elb,
        "CreateRule",
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "host-header", "Values": ["*.example.com"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    rule = made["Rules"][0]["RuleArn"]
    lab.healthy(group)
    host = {"Host": "www.example.com"}
    by_host = lab.name_at("/", host), lab.name_at("/")
    checked(lab.elb, "ModifyRule", RuleArn=rule, Conditions=path("/only"))
    by_path = lab.name_at("/", host), lab.name_at("/only")
    moved = {"StatusCode": "HTTP_302", "Host": "new.example", "Port": "80", "Path": "/n/#{path}"}
    lab.elb.modify_rule(RuleArn=rule, Actions=[{"Type": "redirect", "RedirectConfig": moved}])
    redirected = lab.ask("/only?q=1")
    lab.elb.delete_rule(RuleArn=rule)

    assert (by_host, by_path) == (("a", 404), (404, "a"))
    assert redirected[0] == 302
    assert redirected[1]["Location"] == "http://new.example:80/n/only?q=1"
    assert lab.name_at("/only") == 404


def test_weights_and_deregistration_lose_no_request(account, lab):
    groups = [lab.group("a"), lab.group("b")]
    for name, group in zip("ab", groups, strict=True):
        lab.server(name, group)
    leaving = lab.server("c", groups[1])
    listener = lab.listen(actions=weighed({groups[0]: 1, groups[1]: 0}))
    wait_until(lambda: lab.health(groups[0]) + lab.health(groups[1]) == ["healthy"] * 3)
    port, stop, answers = lab.port(), threading.Event(), []

    def read():
        while not stop.is_set():
            status, _, body = account.get("/", port=port)
            answers.append(json.loads(body)["name"] if status == 200 else status)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for first, second in ((1, 1), (0, 1), (1, 1), (0, 999)):
        seen = len(answers)
        actions = weighed({groups[0]: first, groups[1]: second})
        lab.elb.modify_listener(ListenerArn=listener, DefaultActions=actions)
        wait_until(lambda s=seen: len(answers) > s + 20)
    lab.elb.deregister_targets(TargetGroupArn=groups[1], Targets=[leaving.target])
    wait_until(lambda: lab.health(groups[1]) == ["healthy"])
    seen = len(answers)
    wait_until(lambda: len(answers) > seen + 20)
    stop.set()
    for reader in readers:
        reader.join()

    assert set(answers) == {"a", "b", "c"}
    assert set(answers[-20:]) == {"b"}


def test_a_deregistered_target_answers_what_it_has_begun(lab):
    group = lab.group("a")
    server = lab.server("a", group)
    lab.listen(actions=forward(group))
    lab.healthy(group)
    # Fifty seconds here.
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "3000"}
    lab.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    answers = []
    asking = threading.Thread(target=lambda: answers.append(lab.name_at("/held")))
    asking.start()
    wait_until(lambda: "/held" in server.asked)

    lab.elb.deregister_targets(TargetGroupArn=group, Targets=[server.target])
    draining, refused = lab.health(group), lab.name_at("/")
    server.held.set()
    asking.join()
    wait_until(lambda: lab.health(group) == [])

    assert (draining, refused) == (["draining"], 503)
    assert answers == ["a"]


def test_a_short_deregistration_delay_lets_go_of_a_target_that_does_not_answer(lab):
    group = lab.group("a")
    server = lab.server("a", group)
    lab.listen(actions=forward(group))
    lab.healthy(group)
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "0"}
    answer = checked(
        lab.elb, "ModifyTargetGroupAttributes", TargetGroupArn=group, Attributes=[delay]
    )
    asking = threading.Thread(target=lambda: lab.ask("/held"))
    asking.start()
    wait_until(lambda: "/held" in server.asked)

    lab.elb.deregister_targets(TargetGroupArn=group, Targets=[server.target])
    wait_until(lambda: lab.health(group) == [])
    held = not server.held.is_set()
    server.held.set()
    asking.join()

    assert delay in answer["Attributes"]
    assert held


def test_a_target_group_checks_as_it_is_told(lab):
    group = lab.group("a", Matcher={"HttpCode": "200,302"})
    lab.listen(actions=forward(group))
    server = lab.server("a", group)
    other = lab.server("elsewhere")
    server.health = 302
    lab.healthy(group)

    server.health = 201
    wait_until(lambda: lab.health(group) == ["unhealthy"])
    shown = lab.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0]
    checked(
        lab.elb,
        "ModifyTargetGroup",
        TargetGroupArn=group,
        Matcher={"HttpCode": "200-299"},
        HealthCheckPort=str(other.target["Port"]),
        HealthCheckPath="/check/deep",
    )
    lab.healthy(group)

    assert shown["TargetHealth"]["Reason"] == "Target.ResponseCodeMismatch"
    assert "/check/deep" in other.asked
    assert "/check/deep" not in server.asked


def test_a_target_of_a_group_that_nothing_forwards_to_is_not_used(lab):
    group = lab.group("a")
    server = lab.server("a", group)

    unused = checked(lab.elb, "DescribeTargetHealth", TargetGroupArn=group)
    lab.listen(actions=forward(group))
    lab.healthy(group)

    assert unused["TargetHealthDescriptions"][0]["TargetHealth"] == {
        "State": "unused",
        "Reason": "Target.NotInUse",
        "Description": ("Target group is not configured to receive traffic from the load balancer"),
    }
    assert unused["TargetHealthDescriptions"][0]["Target"] == server.target
    assert lab.name_at() == "a"


def test_listeners_of_one_load_balancer_open_and_close_apart(account, lab):
    made = checked(
        lab.elb,
        "CreateListener",
        LoadBalancerArn=lab.arn,
        Protocol="HTTP",
        Port=80,
        DefaultActions=NOTHING,
    )["Listeners"][0]
    second = lab.listen(8443)
    first_port, second_port = lab.port(80), lab.port(8443)

    changed = checked(
        lab.elb, "ModifyListener", ListenerArn=second, Port=9443, DefaultActions=NOTHING
    )
    kept = lab.port(9443)
    lab.elb.delete_listener(ListenerArn=made["ListenerArn"])

    assert changed["Listeners"][0]["Port"] == 9443
    assert kept == second_port != first_port
    assert account.get("/", port=second_port)[0] == 404
    with pytest.raises(ConnectionRefusedError):
        account.get("/", port=first_port)


def test_an_idle_client_is_let_go_when_its_listener_is_deleted(lab):
    listener = lab.listen()
    connection = HTTPConnection("127.0.0.1", lab.port(), timeout=60)
    connection.request("GET", "/")
    connection.getresponse().read()

    lab.elb.delete_listener(ListenerArn=listener)
    rest = connection.sock.recv(1)
    connection.close()

    assert rest == b""


def test_an_https_listener_is_carried_as_http_and_targets_are_told(account, lab):
    described = lab.elb.describe_load_balancers(Names=["news-status"])["LoadBalancers"][0]
    known = lab.elb.describe_listeners(LoadBalancerArn=described["LoadBalancerArn"])["Listeners"][0]
    group = lab.group("a")
    lab.server("a", group)
    lab.elb.create_listener(
        LoadBalancerArn=lab.arn,
        Protocol="HTTPS",
        Port=443,
        Certificates=[known["Certificates"][0]],
        DefaultActions=forward(group),
    )
    lab.healthy(group)

    _, _, body = lab.ask(aws_port=443)

    assert json.loads(body)["headers"]["X-Forwarded-Proto"] == "https"


def test_the_account_answers_on_its_status_pages_listener(account):
    (shown,) = account.control("GET", "status")["load_balancers"]["news-status"]["listeners"]

    status, _, body = account.get("/", port=int(shown["url"].rsplit(":", 1)[1]))

    assert (shown["port"], shown["protocol"]) == (443, "HTTPS")
    assert (status, body) == (200, b"Nothing to report.")


def test_the_page_tells_where_listeners_answer(account, lab):
    lab.listen(8443)

    with urllib.request.urlopen(f"http://127.0.0.1:{account.port}/_sandbox/", timeout=30) as page:
        text = page.read().decode()

    assert f'<td>{lab.name}</td><td><span class="whole">HTTP:8443</span></td>' in text
    assert f'href="http://127.0.0.1:{lab.port(8443)}"' in text
    assert "default: answers by itself" in text


def test_the_test_listener_moves_apart_from_the_production_listener(account):
    elb = account.client("elbv2")
    balancer = elb.describe_load_balancers(Names=["news-production"])["LoadBalancers"][0]
    listeners = elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
    test = next(listener for listener in listeners if listener["Port"] == 8080)
    rule = elb.describe_rules(ListenerArn=test["ListenerArn"])["Rules"][0]
    groups = rule["Actions"][0]["ForwardConfig"]["TargetGroups"]
    empty = next(group["TargetGroupArn"] for group in groups if group["Weight"] == 0)
    shown = account.control("GET", "status")["load_balancers"]["news-production"]["listeners"]
    port = next(int(row["url"].rsplit(":", 1)[1]) for row in shown if row["port"] == 8080)
    before = account.get(port=port)[0]

    weights = {group["TargetGroupArn"]: int(group["TargetGroupArn"] == empty) for group in groups}
    elb.modify_rule(RuleArn=rule["RuleArn"], Actions=weighed(weights))
    moved = account.get(port=port)[0], account.get()[0]
    elb.modify_rule(RuleArn=rule["RuleArn"], Actions=rule["Actions"])

    assert before == 200
    assert moved == (503, 200)
    assert account.get(port=port)[0] == 200


def test_requests_to_a_load_balancer_of_ones_own_are_its_own_metrics(account, lab):
    group = lab.group("a")
    lab.server("a", group)
    lab.listen(actions=forward(group))
    lab.healthy(group)
    lab.ask()
    cloudwatch = account.client("cloudwatch")
    dimension = {"Name": "LoadBalancer", "Value": lab.arn.split(":loadbalancer/")[1]}

    def published():
        return cloudwatch.list_metrics(
            Namespace="AWS/ApplicationELB", MetricName="RequestCount", Dimensions=[dimension]
        )["Metrics"]

    metrics = wait_until(published)

    groups = {row["Value"] for m in metrics for row in m["Dimensions"] if "Group" in row["Name"]}
    assert groups == {group.rsplit(":", 1)[1]}


def test_the_idle_time_out_of_a_load_balancer_is_kept_and_protection_protects(lab):
    answer = checked(
        lab.elb,
        "ModifyLoadBalancerAttributes",
        LoadBalancerArn=lab.arn,
        Attributes=[
            {"Key": "idle_timeout.timeout_seconds", "Value": "1"},
            {"Key": "deletion_protection.enabled", "Value": "true"},
        ],
    )
    group = lab.group("a")
    lab.server("a", group)
    lab.listen(actions=forward(group))
    lab.healthy(group)

    late = lab.ask("/held")[0]
    with pytest.raises(lab.elb.exceptions.OperationNotPermittedException):
        lab.elb.delete_load_balancer(LoadBalancerArn=lab.arn)
    off = {"Key": "deletion_protection.enabled", "Value": "false"}
    lab.elb.modify_load_balancer_attributes(LoadBalancerArn=lab.arn, Attributes=[off])

    assert {"Key": "idle_timeout.timeout_seconds", "Value": "1"} in answer["Attributes"]
    assert late == 504
