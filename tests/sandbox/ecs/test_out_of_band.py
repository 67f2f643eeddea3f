"""A second client that changes services and listener rules behind a deployment's back."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.account import PAUSE, Readers, wait_until
from tests.sandbox.contract import checked

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}


def hook(stage):
    return PAUSE | {"lifecycleStages": [stage]}


def rule_and_groups(account, cluster="production"):
    balancer = account.service(cluster)["loadBalancers"][0]
    advanced = balancer["advancedConfiguration"]
    groups = balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]
    return advanced["productionListenerRule"], groups


def forward(weights):
    groups = [{"TargetGroupArn": group, "Weight": weight} for group, weight in weights.items()]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]


def weights(account, rule):
    shown = account.client("elbv2").describe_rules(RuleArns=[rule])["Rules"][0]
    groups = shown["Actions"][0]["ForwardConfig"]["TargetGroups"]
    return {group["TargetGroupArn"]: group["Weight"] for group in groups}


@pytest.fixture
def rule(account):
    """The production rule and its weights, which are put back."""
    yield from kept(account, "production")


@pytest.fixture
def staging_rule(account):
    """The rule of a service that has no rule for testers."""
    yield from kept(account, "staging")


def kept(account, cluster):
    arn, groups = rule_and_groups(account, cluster)
    before = weights(account, arn)
    yield arn, groups, before
    account.client("elbv2").modify_rule(RuleArn=arn, Actions=forward(before))


def test_a_rule_that_somebody_modifies_moves_the_requests_at_once(account, rule):
    arn, _, before = rule
    swapped = dict(zip(before, reversed(before.values()), strict=True))
    elb = account.client("elbv2")

    answer = checked(elb, "ModifyRule", RuleArn=arn, Actions=forward(swapped))
    away = account.get()[0]
    shown = weights(account, arn)
    elb.modify_rule(RuleArn=arn, Actions=forward(before))

    assert answer["Rules"][0]["RuleArn"] == arn
    assert shown == swapped
    # The other group has no target, and its weight is all there is.
    assert away == 503
    assert account.get()[0] == 200


def test_a_rule_without_both_groups_refuses_the_next_release(account, staging_rule):
    arn, _, before = staging_rule
    serving = max(before, key=before.get)
    account.client("elbv2").modify_rule(RuleArn=arn, Actions=forward({serving: 1}))

    with pytest.raises(account.ecs.exceptions.InvalidParameterException) as refused:
        account.release("1.4.1", cluster="staging", **BLUE_GREEN)

    assert account.get(port=account.alb_port + 1)[0] == 200
    assert refused.value.response["Error"]["Message"] == (
        "For Application LoadBalancer, testListenerRule is required when productionListenerRule "
        "is not associated with both targetGroup and alternateTargetGroup"
    )


def test_a_rule_whose_groups_both_serve_turns_the_next_release_back(account, rule):
    arn, groups, _ = rule
    shared = dict.fromkeys(groups, 1)
    account.client("elbv2").modify_rule(RuleArn=arn, Actions=forward(shared))

    done = account.finished(account.release("1.4.1", **BLUE_GREEN))

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert done["statusReason"] == (
        "Service deployment rolled back because of invalid networking configuration. "
        f"productionListenerRule {arn} should have exactly one target group serving traffic but "
        "found 2 target groups which are serving traffic"
    )
    assert weights(account, arn) == shared


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("modify_rule", {"RuleArn": "{rule}0", "Actions": forward({"x": 1})}, "RuleNotFound"),
        ("modify_rule", {"RuleArn": "{rule}", "Actions": forward({"x": 1})}, "TargetGroupNotFound"),
        (
            "register_targets",
            {"TargetGroupArn": "{group}", "Targets": [{"Id": "10.0.0.1"}]},
            "InvalidTarget",
        ),
    ],
    ids=str,
)
def test_what_the_balancer_would_not_act_on_is_refused(account, rule, operation, parameters, code):
    names = {"{rule}": rule[0], "{rule}0": rule[0] + "0", "{group}": rule[1][0]}
    given = {k: names.get(v, v) if isinstance(v, str) else v for k, v in parameters.items()}

    with pytest.raises(ClientError) as refused:
        getattr(account.client("elbv2"), operation)(**given)

    assert refused.value.response["Error"]["Code"] == code


def test_a_target_group_that_nothing_forwards_to_has_no_targets_but_exists(account):
    elb = account.client("elbv2")
    known = elb.describe_target_groups()["TargetGroups"][0]
    group = elb.create_target_group(
        Name="spare", Protocol="HTTP", Port=80, VpcId=known["VpcId"], TargetType="ip"
    )
    arn = group["TargetGroups"][0]["TargetGroupArn"]

    registered = checked(elb, "DescribeTargetHealth", TargetGroupArn=arn)
    asked = elb.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1"}])
    with pytest.raises(ClientError) as refused:
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "10.0.0.1"}])
    elb.delete_target_group(TargetGroupArn=arn)

    assert registered["TargetHealthDescriptions"] == []
    assert asked["TargetHealthDescriptions"][0]["TargetHealth"]["State"] == "unused"
    assert refused.value.response["Error"]["Code"] == "InvalidTarget"
    with pytest.raises(elb.exceptions.TargetGroupNotFoundException):
        elb.describe_target_health(TargetGroupArn=arn)


def test_a_second_clients_update_is_reconciled_with_the_deployment_in_flight(account):
    good = account.version()
    earlier = account.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[hook("PRE_SCALE_UP")])
    account.waiting_hook(earlier)

    with Readers(account, count=2) as readers:
        later = account.release(good, **BLUE_GREEN, lifecycleHooks=[hook("RECONCILE_SERVICE")])
        account.waiting_hook(later)
        during = account.deployment(later)
        before = account.finished(earlier)
        account.resume(later, account.waiting_hook(later))
        done = account.finished(later)

    assert during["lifecycleStage"] == "RECONCILE_SERVICE"
    assert (before["status"], done["status"]) == ("ROLLBACK_SUCCESSFUL", "SUCCESSFUL")
    assert readers.failures() == []
    wait_until(account.steady)
