"""Secrets Manager's operations that change nothing but the date of the last access."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import base64
import secrets
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox import clock, tokens
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.secrets import views
from sandbox.secrets.model import CURRENT, Secret, Version
from sandbox.secrets.store import Store, invalid
from sandbox.secrets.views import Answer

_PUNCTUATION = string.punctuation
_FILTERS: Mapping[str, Callable[[Secret], list[str]]] = {
    "name": lambda s: [s.name],
    "description": lambda s: [s.description],
    "tag-key": lambda s: [tag["Key"] for tag in s.tags],
    "tag-value": lambda s: [tag["Value"] for tag in s.tags],
    "primary-region": lambda _: [],
    "owning-service": lambda _: [],
    "all": lambda s: [
        s.name,
        s.description,
        *(word for tag in s.tags for word in (tag["Key"], tag["Value"])),
    ],
}
_SORTS: Mapping[str, Callable[[Secret], Any]] = {
    "created-date": lambda s: s.created,
    "last-changed-date": lambda s: s.changed,
    "last-accessed-date": lambda s: s.accessed or s.created,
    "name": lambda s: s.name,
}


class Reading:
    """What one may ask about secrets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def describe_secret(self, SecretId: str) -> Answer:
        """A secret's labels, dates and rotation, never its value."""
        return views.described(self._store.find(SecretId, deleted=True))

    @our_reading("A filter matches a prefix of the name, and any part of the rest, as does 'all'.")
    def list_secrets(
        self,
        IncludePlannedDeletion: bool = False,
        Filters: Sequence[Mapping[str, Any]] = (),
        SortOrder: str = "desc",
        SortBy: str = "created-date",
        MaxResults: int = 100,
        NextToken: str | None = None,
    ) -> Answer:
        """Secrets by page; those that wait for their deletion only when asked."""
        found = [
            secret
            for secret in self._store
            if (IncludePlannedDeletion or not secret.deleted)
            and all(_matches(secret, one) for one in Filters)
        ]
        found.sort(key=_SORTS[SortBy], reverse=SortOrder == "desc")
        question = {"filters": list(Filters), "sort": [SortBy, SortOrder]}
        page, more = _page(found, MaxResults, NextToken, question)
        return {"SecretList": [views.listed(secret) for secret in page], **more}

    def list_secret_version_ids(
        self,
        SecretId: str,
        IncludeDeprecated: bool = False,
        MaxResults: int = 100,
        NextToken: str | None = None,
    ) -> Answer:
        """Versions with their labels; those without only when asked for deprecated ones."""
        secret = self._store.find(SecretId, deleted=True)
        found = [v for v in secret.versions if v.stages or IncludeDeprecated]
        page, more = _page(found, MaxResults, NextToken, {"of": secret.arn})
        shown = [views.version(v) for v in page]
        return {"ARN": secret.arn, "Name": secret.name, "Versions": shown, **more}

    def get_secret_value(
        self, SecretId: str, VersionId: str | None = None, VersionStage: str | None = None
    ) -> Answer:
        """A version's value, AWSCURRENT's unless another is named; raises ResourceNotFound…"""
        secret = self._store.find(SecretId)
        found = _version(secret, VersionId, VersionStage)
        today = views.day(clock.now())
        if (secret.accessed, found.accessed) != (today, today):
            secret.accessed = found.accessed = today
            self._store.save(secret)
        shown: Answer = {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": found.id,
            "VersionStages": list(found.stages),
            "CreatedDate": found.created,
        }
        if found.text is not None:
            return shown | {"SecretString": found.text}
        return shown | {"SecretBinary": base64.b64decode(found.binary or "")}

    def batch_get_secret_value(
        self,
        SecretIdList: Sequence[str] = (),
        Filters: Sequence[Mapping[str, Any]] = (),
        MaxResults: int = 20,
        NextToken: str | None = None,
    ) -> Answer:
        """Current values of several secrets; what cannot be read is told as an error each."""
        if bool(SecretIdList) == bool(Filters):
            raise invalid("You must provide either SecretIdList or Filters.")
        if Filters:
            found = [s for s in self._store if all(_matches(s, one) for one in Filters)]
            names = [secret.arn for secret in found if not secret.deleted]
        else:
            names = list(SecretIdList)
        page, more = _page(names, MaxResults, NextToken, {"names": names})
        values, errors = [], []
        for name in page:
            try:
                values.append(self.get_secret_value(name))
            except AwsError as error:
                told = {"ErrorCode": error.code, "Message": error.message}
                errors.append({"SecretId": name, **told})
        return {"SecretValues": values, "Errors": errors, **more}

    def get_resource_policy(self, SecretId: str) -> Answer:
        """The policy on a secret; without one there is no ResourcePolicy, as on AWS."""
        secret = self._store.find(SecretId)
        policy = {"ResourcePolicy": secret.policy} if secret.policy else {}
        return {"ARN": secret.arn, "Name": secret.name, **policy}

    @simplified("The characters are drawn again until each included type is there.")
    def get_random_password(
        self,
        PasswordLength: int = 32,
        ExcludeCharacters: str = "",
        IncludeSpace: bool = False,
        RequireEachIncludedType: bool = True,
        **excluded: bool,
    ) -> Answer:
        """A password that nobody keeps."""
        types = [
            (string.ascii_lowercase, "ExcludeLowercase"),
            (string.ascii_uppercase, "ExcludeUppercase"),
            (string.digits, "ExcludeNumbers"),
            (_PUNCTUATION, "ExcludePunctuation"),
        ]
        used = [set(one) - set(ExcludeCharacters) for one, name in types if not excluded.get(name)]
        used = [one for one in used if one] + ([{" "}] if IncludeSpace else [])
        if not used or (RequireEachIncludedType and len(used) > PasswordLength):
            raise invalid("The password length is too short for the required types.")
        alphabet = sorted(set().union(*used))
        while True:
            password = "".join(secrets.choice(alphabet) for _ in range(PasswordLength))
            if not RequireEachIncludedType or all(one & set(password) for one in used):
                return {"RandomPassword": password}


def _version(secret: Secret, version_id: str | None, stage: str | None) -> Version:
    found = secret.version(version_id) if version_id else secret.staged(stage or CURRENT)
    both = version_id and stage and found and stage not in found.stages
    if both:
        raise AwsError(
            "InvalidRequestException",
            "You provided a VersionStage that is not associated to the provided VersionId.",
        )
    if found is None or found.empty:
        label = f"VersionId: {version_id}" if version_id else f"staging label: {stage or CURRENT}"
        message = f"Secrets Manager can't find the specified secret value for {label}"
        raise AwsError("ResourceNotFoundException", message)
    return found


def _matches(secret: Secret, one: Mapping[str, Any]) -> bool:
    """Whether one of a filter's values fits; `!` before a value means "not"."""
    if not one.keys() >= {"Key", "Values"}:
        raise invalid("A filter must have a key and values.")
    words = _FILTERS[one["Key"]](secret)
    return any(_fits(words, value, prefix=one["Key"] == "name") for value in one["Values"])


def _fits(words: Sequence[str], value: str, *, prefix: bool) -> bool:
    if value.startswith("!"):
        return not _fits(words, value[1:], prefix=prefix)
    wanted = value.lower()
    if prefix:
        return any(word.lower().startswith(wanted) for word in words)
    return any(wanted in word.lower() for word in words)


def _page(
    found: Sequence[Any], size: int, token: str | None, question: Mapping[str, Any]
) -> tuple[list[Any], dict[str, str]]:
    try:
        begin = tokens.read(token, question)[0] if token else 0
    except tokens.WrongToken as error:
        message = "The NextToken value is invalid."
        raise AwsError("InvalidNextTokenException", message) from error
    end = begin + size
    more = {"NextToken": tokens.write([end], question)} if end < len(found) else {}
    return list(found[begin:end]), more
