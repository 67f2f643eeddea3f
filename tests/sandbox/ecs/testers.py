"""The test listener of news-production, as whoever tests a release finds it."""

from __future__ import annotations

import json

from tests.sandbox.account import wait_until

NAME, PORT = "news-production", 8080


def release_tested(account, tag, **configuration):
    """Release image `tag` with the test listener's rule; the ARN of the service deployment."""
    account.ecs.update_service(
        cluster="production",
        service="news-api",
        taskDefinition=account.register(tag),
        loadBalancers=[with_test_rule(account, account.service()["loadBalancers"][0])],
        deploymentConfiguration=configuration,
    )
    return wait_until(lambda: account.service().get("currentServiceDeployment"))


def with_test_rule(account, balancer):
    """A service's load balancer that shifts test traffic by the test listener's rule too."""
    elb = account.client("elbv2")
    found = elb.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"]
    listeners = elb.describe_listeners(LoadBalancerArn=found)["Listeners"]
    (listener,) = [each["ListenerArn"] for each in listeners if each["Port"] == PORT]
    rules = elb.describe_rules(ListenerArn=listener)["Rules"]
    (rule,) = [each["RuleArn"] for each in rules if not each["IsDefault"]]
    advanced = balancer["advancedConfiguration"] | {"testListenerRule": rule}
    return balancer | {"advancedConfiguration": advanced}


def seen_by_testers(account):
    """The version that answers on the test listener."""
    listeners = account.control("GET", "status")["load_balancers"][NAME]["listeners"]
    (url,) = [each["url"] for each in listeners if each["port"] == PORT]
    return json.loads(account.get(port=int(url.rsplit(":", 1)[-1]))[2])["version"]
