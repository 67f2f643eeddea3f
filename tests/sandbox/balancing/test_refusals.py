"""What Elastic Load Balancing refuses, by name."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sandbox.balancing.limits import check_rules, too_many
from sandbox.balancing.model import Rule
from sandbox.balancing.values import check_actions, check_conditions, forwarded
from sandbox.errors import AwsError
from sandbox.load_balancers import LoadBalancers
from tests.sandbox.balancing.lab import NOTHING, forward, path, weighed
from tests.sandbox.contract import checked

AWAY = {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}


def fixed(**changes):
    return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"} | changes}]


def redirect(**changes):
    return [{"Type": "redirect", "RedirectConfig": AWAY | changes}]


def condition(field, **config):
    name = "".join(part.capitalize() for part in field.split("-")) + "Config"
    return [{"Field": field, name: config}]


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([], "ValidationError"),
        ([{"Type": "authenticate-oidc"}, *NOTHING], "InvalidConfigurationRequest"),
        ([{"Type": "authenticate-cognito"}, *NOTHING], "InvalidConfigurationRequest"),
        ([{"Type": "jwt-validation"}, *NOTHING], "InvalidConfigurationRequest"),
        (forward("a") * 2, "TooManyActions"),
        ([{"Type": "forward"}], "ValidationError"),
        (forward(*"abcdef"), "ValidationError"),
        (weighed({"a": 1000}), "ValidationError"),
        (weighed({"a": -1}), "ValidationError"),
        ([forward("a")[0] | {"TargetGroupArn": "b"}], "ValidationError"),
        ([forward("a", "b")[0] | {"TargetGroupArn": "b"}], "ValidationError"),
        (
            [{"Type": "forward", "ForwardConfig": {"TargetGroupStickinessConfig": {"Enabled": 1}}}],
            "InvalidConfigurationRequest",
        ),
        (fixed(StatusCode="302"), "ValidationError"),
        (fixed(ContentType="image/png"), "InvalidLoadBalancerAction"),
        (fixed(MessageBody="x" * 1025), "ValidationError"),
        (redirect(StatusCode="HTTP_307"), "ValidationError"),
        (redirect(Protocol="#{protocol}"), "InvalidLoadBalancerAction"),
        (redirect(Protocol="FTP"), "ValidationError"),
        (redirect(Path="away"), "ValidationError"),
        (redirect(Host="b\u00fccher.example"), "ValidationError"),
    ],
)
def test_an_action_that_cannot_be_done_is_refused(actions, code):
    with pytest.raises(AwsError) as refused:
        check_actions(actions)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "actions",
    [forward(*"abcde"), weighed({"a": 0, "b": 999}), fixed(StatusCode="503"), redirect(), NOTHING],
)
def test_an_action_within_the_limits_is_taken(actions):
    check_actions(actions)


def test_a_group_without_a_weight_weighs_one():
    by_config = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "a"}]}}]

    assert forwarded(by_config) == {"a": 1.0}
    assert forwarded([{"Type": "forward", "TargetGroupArn": "b"}]) == {"b": 1.0}


@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ([], "ValidationError"),
        ([{"Field": "colour", "Values": ["red"]}], "ValidationError"),
        ([{"Field": "http-header", "Values": ["x"]}], "ValidationError"),
        (path(), "ValidationError"),
        (path("/a", "/b", "/c", "/d"), "ValidationError"),
        (path("/" + "a" * 128), "ValidationError"),
        (path("/*/*/*/*/*/*"), "ValidationError"),
        (path("/a") + path("/b"), "ValidationError"),
        (
            path("/a", "/b", "/c") + condition("source-ip", Values=["10.0.0.0/8"] * 3),
            "ValidationError",
        ),
        (
            [{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a$"]}}],
            "InvalidConfigurationRequest",
        ),
        (condition("host-header", Values=["localhost"]), "ValidationError"),
        (condition("host-header", Values=["a.b/c"]), "ValidationError"),
        (condition("http-header", HttpHeaderName="X Y", Values=["a"]), "ValidationError"),
        (condition("http-header", HttpHeaderName="Host", Values=["a"]), "ValidationError"),
        (condition("http-request-method", Values=["get"]), "ValidationError"),
        (condition("query-string", Values=[{"Key": "a"}]), "ValidationError"),
        (condition("source-ip", Values=["somewhere"]), "ValidationError"),
        (condition("source-ip", Values=["10.0.0.1/8"]), "ValidationError"),
    ],
)
def test_a_condition_that_cannot_be_evaluated_is_refused(conditions, code):
    with pytest.raises(AwsError) as refused:
        check_conditions(conditions)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "conditions",
    [
        path("/a*", "/?b", "*"),
        condition("http-header", HttpHeaderName="X-A", Values=["a"])
        + condition("http-header", HttpHeaderName="X-A", Values=["b"]),
        [{"Field": "host-header", "Values": ["*.example.com"]}],
        condition("query-string", Values=[{"Key": "a", "Value": "b"}, {"Value": "*c*"}]),
        condition("http-request-method", Values=["PURGE"]),
        condition("source-ip", Values=["127.0.0.0/8", "2001:db8::/32"]),
    ],
)
def test_a_condition_within_the_limits_is_taken(conditions):
    check_conditions(conditions)


def test_a_load_balancer_takes_a_hundred_rules_besides_its_default_rules(tmp_path):
    balancers = LoadBalancers(tmp_path / "alb", interval=1.0, drain_seconds=1.0)
    for number in range(100):
        balancers.rules[str(number)] = Rule(str(number), "app/x/1", priority=str(number))
    balancers.rules["other"] = Rule("other", "app/y/1")
    balancers.rules["default"] = Rule("default", "app/x/1", priority="default")

    with pytest.raises(AwsError) as refused:
        check_rules(balancers, "app/x/1")
    check_rules(balancers, "app/y/1")

    assert refused.value.code == "TooManyRules"
    assert too_many("Listeners", "listeners").code == "TooManyListeners"


def code_of(call, **parameters):
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"]


def test_rules_are_refused_by_name(lab):
    elb, group = lab.elb, lab.group("a")
    listener = lab.listen()
    lab.rule(listener, 1, path("/a"), forward(group))
    second = lab.rule(listener, 2, path("/b"), NOTHING)
    default = elb.describe_rules(ListenerArn=listener)["Rules"][-1]["RuleArn"]
    given = {"ListenerArn": listener, "Conditions": path("/c"), "Actions": NOTHING, "Priority": 3}
    transform = [{"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": []}}]
    taken = [{"RuleArn": second, "Priority": 1}]
    moved = [{"RuleArn": default, "Priority": 9}]

    assert code_of(elb.create_rule, **given | {"Priority": 1}) == "PriorityInUse"
    assert code_of(elb.create_rule, **given | {"Priority": 50_001}) == "ValidationError"
    assert code_of(elb.create_rule, **given | {"ListenerArn": listener + "0"}) == "ListenerNotFound"
    unknown = {"Actions": forward(group + "0")}
    assert code_of(elb.create_rule, **given | unknown) == "TargetGroupNotFound"
    rewritten = {"Transforms": transform}
    assert code_of(elb.create_rule, **given | rewritten) == "InvalidConfigurationRequest"
    assert code_of(elb.modify_rule, RuleArn=second) == "ValidationError"
    assert code_of(elb.modify_rule, RuleArn=second + "0", Actions=NOTHING) == "RuleNotFound"
    assert code_of(elb.modify_rule, RuleArn=default, Actions=NOTHING) == "OperationNotPermitted"
    assert code_of(elb.delete_rule, RuleArn=default) == "OperationNotPermitted"
    assert code_of(elb.delete_rule, RuleArn=default + "0") == "RuleNotFound"
    assert code_of(elb.set_rule_priorities, RulePriorities=taken) == "PriorityInUse"
    assert code_of(elb.set_rule_priorities, RulePriorities=moved) == "OperationNotPermitted"
    assert code_of(elb.set_rule_priorities, RulePriorities=taken * 2) == "ValidationError"


def test_a_target_group_belongs_to_one_load_balancer(account, lab):
    listener = lab.listen()
    shown = account.client("elbv2").describe_target_groups(Names=["news-api-blue"])
    group = shown["TargetGroups"][0]["TargetGroupArn"]
    given = {"ListenerArn": listener, "Conditions": path("/c"), "Priority": 3}

    code = code_of(lab.elb.create_rule, **given, Actions=forward(group))

    assert code == "TargetGroupAssociationLimit"


def test_listeners_and_load_balancers_are_refused_by_name(lab):
    elb = lab.elb
    listener = lab.listen()
    given = {"LoadBalancerArn": lab.arn, "Protocol": "HTTP", "Port": 81, "DefaultActions": NOTHING}
    named = {"Name": lab.name, "Subnets": lab.subnets}

    assert code_of(elb.create_listener, **given | {"Port": 80}) == "DuplicateListener"
    assert code_of(elb.create_listener, **given | {"Protocol": "TCP"}) == "ValidationError"
    assert code_of(elb.create_listener, **given | {"Protocol": "HTTPS"}) == "ValidationError"
    certified = {"Certificates": [{"CertificateArn": "arn:x"}]}
    assert code_of(elb.create_listener, **given | certified) == "InvalidConfigurationRequest"
    nowhere = {"LoadBalancerArn": lab.arn + "0"}
    assert code_of(elb.create_listener, **given | nowhere) == "LoadBalancerNotFound"
    gone = {"ListenerArn": listener + "0"}
    assert code_of(elb.modify_listener, **gone, Port=82) == "ListenerNotFound"
    assert code_of(elb.delete_listener, **gone) == "ListenerNotFound"
    assert code_of(elb.create_load_balancer, **named) == "DuplicateLoadBalancerName"
    assert code_of(elb.create_load_balancer, **named | {"Name": "-x"}) == "ValidationError"
    network = {"Name": "net", "Type": "network"}
    assert code_of(elb.create_load_balancer, **named | network) == "InvalidConfigurationRequest"
    one = {"Name": "one-zone", "Subnets": lab.subnets[:1] * 2}
    assert code_of(elb.create_load_balancer, **named | one) == "ValidationError"
    missing = {"Name": "x", "Subnets": ["subnet-1", "subnet-2"]}
    assert code_of(elb.create_load_balancer, **named | missing) == "SubnetNotFound"
    unguarded = {"Name": "x", "SecurityGroups": ["sg-1"]}
    assert code_of(elb.create_load_balancer, **named | unguarded) == "InvalidSecurityGroup"
    idle = [{"Key": "idle_timeout.timeout_seconds", "Value": "0"}]
    code = code_of(elb.modify_load_balancer_attributes, LoadBalancerArn=lab.arn, Attributes=idle)
    assert code == "ValidationError"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"Protocol": "HTTPS"}, "InvalidConfigurationRequest"),
        ({"ProtocolVersion": "GRPC"}, "InvalidConfigurationRequest"),
        ({"TargetType": "lambda"}, "InvalidConfigurationRequest"),
        ({"IpAddressType": "ipv6"}, "InvalidConfigurationRequest"),
        ({"HealthCheckProtocol": "HTTPS"}, "InvalidConfigurationRequest"),
        ({"HealthCheckEnabled": False}, "InvalidConfigurationRequest"),
        ({"HealthCheckIntervalSeconds": 301}, "ValidationError"),
        ({"HealthCheckTimeoutSeconds": 121}, "ValidationError"),
        ({"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}, "ValidationError"),
        ({"HealthyThresholdCount": 11}, "ValidationError"),
        ({"UnhealthyThresholdCount": 11}, "ValidationError"),
        ({"HealthCheckPath": "check"}, "ValidationError"),
        ({"HealthCheckPort": "http"}, "ValidationError"),
        ({"Matcher": {"HttpCode": "200-600"}}, "ValidationError"),
        ({"Matcher": {"HttpCode": "fine"}}, "ValidationError"),
        ({"Matcher": {"GrpcCode": "0"}}, "InvalidConfigurationRequest"),
    ],
    ids=str,
)
def test_a_target_group_that_could_not_be_worked_by_is_refused(account, settings, code):
    elb = account.client("elbv2")
    known = elb.describe_target_groups()["TargetGroups"][0]
    usual = {"Name": "refused", "Protocol": "HTTP", "Port": 80, "VpcId": known["VpcId"]}

    refused = code_of(elb.create_target_group, **usual | {"TargetType": "ip"} | settings)

    assert refused == code


def test_target_groups_are_refused_by_name(lab):
    elb, group = lab.elb, lab.group("a")
    lab.listen(actions=forward(group))
    usual = {"Name": f"{lab.name}-a", "Protocol": "HTTP", "Port": 80, "VpcId": lab.vpc}
    here = {"TargetGroupArn": group}
    sticky = [{"Key": "stickiness.enabled", "Value": "true"}]
    unknown = [{"Key": "colour", "Value": "red"}]
    slow = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3601"}]
    nowhere = {"TargetGroupArn": group + "0"}

    assert code_of(elb.create_target_group, **usual) == "DuplicateTargetGroupName"
    assert code_of(elb.delete_target_group, **here) == "ResourceInUse"
    longer = {"HealthCheckTimeoutSeconds": 6}
    assert code_of(elb.modify_target_group, **here, **longer) == "ValidationError"
    assert code_of(elb.modify_target_group, **nowhere) == "TargetGroupNotFound"
    change = elb.modify_target_group_attributes
    assert code_of(change, **here, Attributes=sticky) == "InvalidConfigurationRequest"
    assert code_of(change, **here, Attributes=unknown) == "ValidationError"
    assert code_of(change, **here, Attributes=slow) == "ValidationError"
    assert code_of(change, **nowhere, Attributes=slow) == "TargetGroupNotFound"
    assert elb.delete_target_group(**nowhere)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("address", ["10.20.16.9", "192.0.2.1", "::1", "i-0123456789abcdef0"])
def test_targets_outside_of_loopback_are_refused(lab, address):
    group = lab.group("a")

    with pytest.raises(lab.elb.exceptions.InvalidTargetException) as refused:
        lab.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 80}])

    assert "loopback" in refused.value.response["Error"]["Message"]
    assert lab.health(group) == []


def test_instances_do_not_run_in_this_account(lab):
    group = lab.group("a", TargetType="instance")

    code = code_of(lab.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": "i-0123"}])

    assert code == "InvalidTarget"


def test_load_balancers_and_target_groups_are_described_as_they_were_made(account, lab):
    made = checked(lab.elb, "CreateLoadBalancer", Name=f"{lab.name}-second", Subnets=lab.subnets)[
        "LoadBalancers"
    ][0]
    group = checked(
        lab.elb,
        "CreateTargetGroup",
        Name=f"{lab.name}-second",
        Protocol="HTTP",
        Port=80,
        VpcId=lab.vpc,
        TargetType="ip",
    )["TargetGroups"][0]

    shown = lab.elb.describe_load_balancers(LoadBalancerArns=[made["LoadBalancerArn"]])
    lab.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    lab.elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    lab.elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])

    assert (made["Scheme"], made["Type"]) == ("internet-facing", "application")
    assert shown["LoadBalancers"][0]["State"]["Code"] == "active"
    assert (group["HealthCheckPath"], group["Matcher"]) == ("/", {"HttpCode": "200"})
