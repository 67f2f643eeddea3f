"""The account this sandbox is, and how it writes ARNs."""

from __future__ import annotations

from sandbox.measurements import load_balancer_dimension, resource_id, target_group_dimension

ACCOUNT = "123456789012"
REGION = "us-east-1"
REGISTRY = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
# Where testers reach the revision that readers do not see yet, as in ECS's developer guide.
TEST_PORT = 8080
CALLER = f"arn:aws:iam::{ACCOUNT}:user/sandbox"


def ecs_arn(kind: str, *path: str) -> str:
    """`arn:aws:ecs:us-east-1:123456789012:<kind>/<path…>`."""
    return f"arn:aws:ecs:{REGION}:{ACCOUNT}:{kind}/{'/'.join(path)}"


def elb_arn(rest: str) -> str:
    """The ARN of anything of Elastic Load Balancing."""
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{rest}"


def load_balancer_arn(name: str) -> str:
    """The ARN of an application load balancer, the same after every restart."""
    return elb_arn(f"loadbalancer/{load_balancer_dimension(name)}")


def target_group_arn(name: str) -> str:
    """The ARN of a target group, the same after every restart."""
    return elb_arn(target_group_dimension(name))


def listener_arn(name: str, port: int = 80) -> str:
    """The ARN of the listener of load balancer `name` on a port; 80 is for readers."""
    return elb_arn(f"listener/{load_balancer_dimension(name)}/{resource_id(f'{name}:{port}')}")


def rule_arn(name: str) -> str:
    """The ARN of the production rule of load balancer `name`."""
    return _rule_arn(listener_arn(name), f"{name}:production")


def tester_rule_arn(name: str) -> str:
    """The ARN of the rule of the test listener (port TEST_PORT) of load balancer `name`."""
    return _rule_arn(listener_arn(name, TEST_PORT), f"{name}:test")


def default_rule_arn(listener: str) -> str:
    """The ARN of the default rule of the listener of that ARN."""
    return _rule_arn(listener, listener)


def _rule_arn(listener: str, rule: str) -> str:
    return f"{listener.replace(':listener/', ':listener-rule/')}/{resource_id(rule)}"


def secret_arn(name: str) -> str:
    """The ARN of a secret of the seeded world: its six last characters never change."""
    suffix = resource_id(f"secret:{name}")[:6]
    return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-{suffix}"


def last_part(reference: str) -> str:
    """The short name of something that was given by name or by ARN."""
    return reference.rsplit("/", 1)[-1]


def dimension(arn: str) -> str:
    """CloudWatch's dimension value of a load balancer's or target group's ARN."""
    return arn.rsplit(":", 1)[-1].removeprefix("loadbalancer/")
