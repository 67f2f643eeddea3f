"""Operations on log groups and their tags."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.honesty import simplified
from sandbox.logs.errors import at_most, constraint, existing, invalid, missing, refuse
from sandbox.logs.metric_filters import Filters
from sandbox.logs.pages import page
from sandbox.logs.store import Group, Store
from sandbox.names import ACCOUNT, REGION

Answer = dict[str, Any]

CLASSES = ("STANDARD", "INFREQUENT_ACCESS")
# PutRetentionPolicy: the possible values.
RETENTION_DAYS: tuple[int, ...] = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
MAX_TAGS = 50
_NAME = r"[\.\-_/#A-Za-z0-9]+"
_PREFIX = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:"


def arn(name: str) -> str:
    """The ARN of a log group, without the `:*` that stands for its streams."""
    return _PREFIX + name


def milliseconds() -> int:
    """Sandbox time in milliseconds since 1970."""
    return int(clock.time() * 1000)


def find(store: Store, identifier: str) -> Group:
    """A log group by name or ARN; raises ResourceNotFoundException."""
    name = identifier.removeprefix(_PREFIX).removesuffix(":*")
    found = store.group(name)
    if found is None:
        raise missing("log group")
    return found


def one_of(store: Store, name: str | None, identifier: str | None) -> Group:
    """The group of the parameters logGroupName and logGroupIdentifier, exactly one of them."""
    if bool(name) == bool(identifier):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be specified.")
    return find(store, name or identifier or "")


class LogGroups:
    """Log groups, their retention and their tags."""

    def __init__(self, store: Store, filters: Filters) -> None:
        self._store = store
        self._filters = filters

    @simplified("Encryption, deletion protection and the classes DELIVERY, ESSENTIALS are refused.")
    def create_log_group(
        self,
        logGroupName: str,
        tags: Mapping[str, str] | None = None,
        logGroupClass: str = "STANDARD",
        kmsKeyId: str | None = None,
        deletionProtectionEnabled: bool = False,
    ) -> Answer:
        """A new, empty log group that keeps its events for ever."""
        refuse(kmsKeyId=kmsKeyId, deletionProtectionEnabled=deletionProtectionEnabled)
        if not re.fullmatch(_NAME, logGroupName) or len(logGroupName) > 512:
            rule = f"Member must satisfy regular expression pattern: {_NAME}"
            raise constraint(logGroupName, "logGroupName", rule)
        if logGroupClass not in CLASSES:
            raise invalid(f"The sandbox does not support the log class {logGroupClass}.")
        if self._store.group(logGroupName):
            raise existing("log group")
        self._store.create_group(logGroupName, milliseconds(), logGroupClass, dict(tags or {}))
        return {}

    def delete_log_group(self, logGroupName: str) -> Answer:
        """Remove a log group, its streams, its events and its metric filters."""
        group = find(self._store, logGroupName)
        self._filters.forget(group.name)
        self._store.delete_group(group)
        return {}

    @simplified("Other accounts are refused: there is one.")
    def describe_log_groups(
        self,
        logGroupNamePrefix: str = "",
        logGroupNamePattern: str = "",
        logGroupClass: str | None = None,
        logGroupIdentifiers: Sequence[str] = (),
        nextToken: str | None = None,
        limit: int | None = None,
        accountIdentifiers: Sequence[str] = (),
        includeLinkedAccounts: bool = False,
    ) -> Answer:
        """Log groups by name, by page of at most 50."""
        refuse(accountIdentifiers=accountIdentifiers, includeLinkedAccounts=includeLinkedAccounts)
        if logGroupNamePrefix and logGroupNamePattern:
            raise invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive.")
        size = at_most("limit", limit, 50, 50)
        wanted = {name.removeprefix(_PREFIX) for name in logGroupIdentifiers}
        chosen = [
            group
            for group in self._store.groups()
            if group.name.startswith(logGroupNamePrefix)
            and logGroupNamePattern.lower() in group.name.lower()
            and logGroupClass in (None, group.kind)
            and (not wanted or group.name in wanted)
        ]
        asked = [logGroupNamePrefix, logGroupNamePattern, logGroupClass, sorted(wanted)]
        shown, more = page(chosen, nextToken, size, {"groups": asked})
        return {"logGroups": [self._shown(group) for group in shown], **more}

    def _shown(self, group: Group) -> Answer:
        shown = {
            "logGroupName": group.name,
            "creationTime": group.created,
            "metricFilterCount": len(self._filters.of(group.name)),
            "arn": f"{arn(group.name)}:*",
            "storedBytes": group.bytes,
            "logGroupClass": group.kind,
            "logGroupArn": arn(group.name),
            "deletionProtectionEnabled": False,
        }
        return shown | ({"retentionInDays": group.retention} if group.retention else {})

    @simplified("Data sources, field indexes and other accounts are refused.")
    def list_log_groups(
        self,
        logGroupNamePattern: str = "",
        logGroupClass: str | None = None,
        nextToken: str | None = None,
        limit: int | None = None,
        **unsupported: Any,
    ) -> Answer:
        """Names, ARNs and classes of the log groups whose name matches a regular expression."""
        refuse(**unsupported)
        size = at_most("limit", limit, 1000, 50)
        try:
            pattern = re.compile(logGroupNamePattern)
        except re.error as error:
            raise invalid("The logGroupNamePattern is not a valid regular expression.") from error
        chosen = [
            {
                "logGroupName": group.name,
                "logGroupArn": arn(group.name),
                "logGroupClass": group.kind,
            }
            for group in self._store.groups()
            if pattern.search(group.name) and logGroupClass in (None, group.kind)
        ]
        asked = {"pattern": logGroupNamePattern, "class": logGroupClass}
        shown, more = page(chosen, nextToken, size, asked)
        return {"logGroups": shown, **more}

    def put_retention_policy(self, logGroupName: str, retentionInDays: int) -> Answer:
        """Keep events so many days; older ones are dropped within a minute (on AWS: 72 hours)."""
        group = find(self._store, logGroupName)
        if retentionInDays not in RETENTION_DAYS:
            rule = f"Member must satisfy enum value set: {list(RETENTION_DAYS)}"
            raise constraint(retentionInDays, "retentionInDays", rule)
        group.retention = retentionInDays
        self._store.save_group(group)
        return {}

    def delete_retention_policy(self, logGroupName: str) -> Answer:
        """Keep events for ever."""
        group = find(self._store, logGroupName)
        group.retention = None
        self._store.save_group(group)
        return {}

    # -- tags ------------------------------------------------------------------------------------

    def tag_resource(self, resourceArn: str, tags: Mapping[str, str]) -> Answer:
        """Add or replace tags of a log group."""
        return self._tag(find(self._store, resourceArn), tags)

    def untag_resource(self, resourceArn: str, tagKeys: Sequence[str]) -> Answer:
        """Remove tags from a log group."""
        return self._untag(find(self._store, resourceArn), tagKeys)

    def list_tags_for_resource(self, resourceArn: str) -> Answer:
        """The tags of a log group by ARN."""
        return {"tags": dict(find(self._store, resourceArn).tags)}

    def tag_log_group(self, logGroupName: str, tags: Mapping[str, str]) -> Answer:
        """TagResource by name, as it was before ARNs."""
        return self._tag(find(self._store, logGroupName), tags)

    def untag_log_group(self, logGroupName: str, tags: Sequence[str]) -> Answer:
        """UntagResource by name, as it was before ARNs."""
        return self._untag(find(self._store, logGroupName), tags)

    def list_tags_log_group(self, logGroupName: str) -> Answer:
        """The tags of a log group by name."""
        return {"tags": dict(find(self._store, logGroupName).tags)}

    def _tag(self, group: Group, tags: Mapping[str, str]) -> Answer:
        wanted = {**group.tags, **tags}
        if len(wanted) > MAX_TAGS:
            raise AwsError("TooManyTagsException", f"A resource can have at most {MAX_TAGS} tags.")
        group.tags = wanted
        self._store.save_group(group)
        return {}

    def _untag(self, group: Group, keys: Sequence[str]) -> Answer:
        group.tags = {key: value for key, value in group.tags.items() if key not in keys}
        self._store.save_group(group)
        return {}
