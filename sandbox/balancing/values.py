"""What Elastic Load Balancing refuses in the actions and conditions of a rule.

Limits are those of "Quotas for your Application Load Balancers" and "Condition types for listener
rules" in the user guide; shapes are botocore's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from typing import Any

from sandbox.alb.conditions import CONFIGURATIONS, values
from sandbox.errors import AwsError

MOST_WEIGHT = 999
MOST_GROUPS = 5
MOST_VALUES = 5
MOST_VALUES_OF_ONE = 3
MOST_WILDCARDS = 5
LONGEST = 128
LONGEST_BODY = 1024
CONTENT_TYPES = (
    "text/plain",
    "text/css",
    "text/html",
    "application/javascript",
    "application/json",
)
_REPEATABLE = ("http-header", "query-string")
_WHOLE_URL = {
    "Protocol": "#{protocol}",
    "Host": "#{host}",
    "Port": "#{port}",
    "Path": "/#{path}",
    "Query": "#{query}",
}
Action = Mapping[str, Any]
Condition = Mapping[str, Any]


def invalid(message: str) -> AwsError:
    """A value out of its bounds."""
    return AwsError("ValidationError", message)


def not_here(message: str) -> AwsError:
    """A configuration that this load balancer does not take."""
    return AwsError("InvalidConfigurationRequest", message)


# -- actions -------------------------------------------------------------------------------------


def check_actions(actions: Sequence[Action]) -> None:
    """Raises ValidationError, TooManyActions, InvalidLoadBalancerAction or InvalidConfig…"""
    if not actions:
        raise invalid("An action must be specified")
    others = [each["Type"] for each in actions if each["Type"] not in _CHECKS]
    if others:
        raise not_here(f"Actions of type {', '.join(others)} are not available on this listener.")
    if len(actions) > 1:
        raise AwsError(
            "TooManyActions", "You've reached the limit on the number of actions per rule"
        )
    _CHECKS[actions[0]["Type"]](actions[0])


def forwarded(actions: Iterable[Action]) -> dict[str, float]:
    """The weights of the target groups that actions forward to, by ARN."""
    weights: dict[str, float] = {}
    for action in actions:
        single = action.get("TargetGroupArn")
        groups = action.get("ForwardConfig", {}).get("TargetGroups")
        for each in groups or ([{"TargetGroupArn": single}] if single else []):
            weights[each["TargetGroupArn"]] = float(each.get("Weight", 1))
    return weights


def _forward(action: Action) -> None:
    config = action.get("ForwardConfig", {})
    if config.get("TargetGroupStickinessConfig", {}).get("Enabled"):
        raise not_here("Target group stickiness is not available on this rule.")
    weights = forwarded([action])
    if not 1 <= len(weights) <= MOST_GROUPS:
        raise invalid(f"A rule forwards to 1 to {MOST_GROUPS} target groups.")
    if not all(0 <= weight <= MOST_WEIGHT for weight in weights.values()):
        raise invalid(f"The weight must be between 0 and {MOST_WEIGHT}.")
    single = action.get("TargetGroupArn", next(iter(weights)))
    if (len(weights) > 1 and "TargetGroupArn" in action) or single not in weights:
        raise invalid("You can specify either a target group ARN or a list of target groups.")


def _fixed(action: Action) -> None:
    config = action.get("FixedResponseConfig", {})
    if not re.fullmatch(r"(2|4|5)\d\d", config.get("StatusCode", "")):
        raise invalid("The status code of a fixed response must be 2XX, 4XX or 5XX.")
    if config.get("ContentType", CONTENT_TYPES[0]) not in CONTENT_TYPES:
        raise AwsError(
            "InvalidLoadBalancerAction", f"The ContentType must be one of: {CONTENT_TYPES}"
        )
    if len(config.get("MessageBody", "")) > LONGEST_BODY:
        raise invalid(f"The message body is longer than {LONGEST_BODY} characters.")


def _redirect(action: Action) -> None:
    config = action.get("RedirectConfig", {})
    if config.get("StatusCode") not in ("HTTP_301", "HTTP_302"):
        raise invalid("The status code of a redirect must be HTTP_301 or HTTP_302.")
    if all(config.get(name, whole) == whole for name, whole in _WHOLE_URL.items()):
        raise AwsError(
            "InvalidLoadBalancerAction",
            "The redirect action is not valid because it creates a loop.",
        )
    if config.get("Protocol", "HTTP") not in ("HTTP", "HTTPS", "#{protocol}"):
        raise invalid("The protocol of a redirect must be HTTP, HTTPS or #{protocol}.")
    if not all(str(value).isascii() for value in config.values()):
        raise invalid("A redirect must consist of ASCII characters.")
    if not config.get("Path", "/").startswith("/"):
        raise invalid("The path of a redirect must start with '/'.")


_CHECKS = {"forward": _forward, "fixed-response": _fixed, "redirect": _redirect}


# -- conditions ----------------------------------------------------------------------------------


def check_conditions(conditions: Sequence[Condition]) -> None:
    """Raises ValidationError, or InvalidConfigurationRequest for what is not evaluated here."""
    if not conditions:
        raise invalid("A condition must be specified")
    for condition in conditions:
        _check_condition(condition)
    fields = Counter(condition["Field"] for condition in conditions)
    twice = [name for name, count in fields.items() if count > 1 and name not in _REPEATABLE]
    if twice:
        raise invalid(f"A rule can only have one '{twice[0]}' condition")
    texts = [text for condition in conditions for text in _texts(condition)]
    if sum(len(values(condition)) for condition in conditions) > MOST_VALUES:
        raise invalid(f"A rule can only have '{MOST_VALUES}' condition values")
    if sum(text.count("*") + text.count("?") for text in texts) > MOST_WILDCARDS:
        raise invalid(f"A rule can only have '{MOST_WILDCARDS}' condition wildcards")


def _check_condition(condition: Condition) -> None:
    field = condition.get("Field", "")
    if field not in CONFIGURATIONS:
        raise invalid(f"Condition field '{field}' must be one of '[{','.join(CONFIGURATIONS)}]'")
    config = condition.get(CONFIGURATIONS[field], condition)
    if condition.get("RegexValues") or config.get("RegexValues"):
        raise not_here(f"Regular expressions in '{field}' conditions are not available here.")
    if config is condition and field not in ("host-header", "path-pattern"):
        raise invalid(f"A '{CONFIGURATIONS[field]}' must be specified with '{field}'")
    if not config.get("Values"):
        raise invalid("A condition value must be specified")
    if len(config["Values"]) > MOST_VALUES_OF_ONE:
        raise invalid(
            f"The '{field}' field contains too many values; the limit is '{MOST_VALUES_OF_ONE}'"
        )
    if any(len(text) > LONGEST for text in _texts(condition)):
        raise invalid(f"The '{field}' value is too long; the limit is '{LONGEST}'")
    _SPECIAL.get(field, lambda _: None)(config)


def _texts(condition: Condition) -> list[str]:
    found = values(condition)
    if condition["Field"] != "query-string":
        return list(found)
    return [text for pair in found for text in (pair.get("Key", ""), pair.get("Value", ""))]


def _header_name(config: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}", config.get("HttpHeaderName", "")):
        raise invalid("The 'HttpHeaderName' value is not valid; it has 1 to 40 characters")
    if config["HttpHeaderName"].lower() == "host":
        raise invalid("A 'host-header' condition must be used for the header 'Host'")


def _methods(config: Mapping[str, Any]) -> None:
    if not all(re.fullmatch("[A-Z_-]{1,40}", value) for value in config["Values"]):
        raise invalid(
            "The 'http-request-method' value is invalid; the allowed characters are A-Z, hyphen "
            "and underscore"
        )


def _hosts(config: Mapping[str, Any]) -> None:
    for value in config["Values"]:
        if not re.fullmatch(r"[A-Za-z0-9*?.-]*\.[A-Za-z0-9]*", value):
            raise invalid(f"The 'host-header' value '{value}' is not a host name pattern")


def _pairs(config: Mapping[str, Any]) -> None:
    if not all(pair.get("Value") for pair in config["Values"]):
        raise invalid("A 'Value' must be specified in 'QueryStringKeyValuePair'")


def _networks(config: Mapping[str, Any]) -> None:
    for value in config["Values"]:
        try:
            ip_network(value)
        except ValueError as error:
            raise invalid(f"The 'source-ip' value '{value}' is not a CIDR block") from error


_SPECIAL = {
    "http-header": _header_name,
    "http-request-method": _methods,
    "host-header": _hosts,
    "query-string": _pairs,
    "source-ip": _networks,
}
