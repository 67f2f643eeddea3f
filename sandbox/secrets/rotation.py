"""Rotation: the four steps of a rotation function, its failures, and the schedule."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT, REGION
from sandbox.repeating import paced, repeat
from sandbox.secrets import schedule
from sandbox.secrets.model import CURRENT, PENDING, Secret, Version
from sandbox.secrets.store import Store, new_version, refused
from sandbox.secrets.views import Answer
from sandbox.secrets.writing import Writing

log = logging.getLogger("sandbox.secrets")

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:news-rotate-secret"
FAILURES = ("stuck", "empty-pending", "lambda-error")
# Sandbox seconds. A real function needs a few; retries are spread over minutes.
STEP_SECONDS = 1.0
RETRY_SECONDS = 60.0
ATTEMPTS = 5
LOOK_SECONDS = 60.0
_REAL_PAUSE = 0.05

Spawn = Callable[[Coroutine[Any, Any, Any]], None]


class FunctionFailed(Exception):
    """The rotation function ended with an error."""


class Secrets(Writing):
    """The account's Secrets Manager.

    `rotation_failure` is what the rotation function does wrong from its next step on: "stuck" (it
    never ends after it made the new value), "empty-pending" (it makes an empty version and fails),
    "lambda-error" (it fails when it should set the value), or None.
    """

    def __init__(self, store: Store, spawn: Spawn) -> None:
        super().__init__(store)
        self._spawn = spawn
        self.rotation_failure: str | None = None

    def __len__(self) -> int:
        """How many secrets are kept, as the bill counts them."""
        return len(self._store)

    def value_of(self, value_from: str) -> str | None:
        """What a container's `valueFrom` stands for: `<ARN>[:<JSON key>:<stage>:<version id>]`.

        None when there is no such secret, key or version. A task that starts reads it, so it
        counts as an access.
        """
        parts = value_from.split(":")
        arn, (key, stage, version) = ":".join(parts[:7]), (*parts[7:], "", "", "")[:3]
        try:
            text = self.get_secret_value(arn, version or None, stage or None).get("SecretString")
            found = json.loads(text)[key] if key and text else text
        except (AwsError, ValueError, KeyError, TypeError):
            return None
        return None if found is None else str(found)

    # -- the operations --------------------------------------------------------------------------

    @simplified("One function rotates everything; managed external secrets are refused.")
    @our_reading("After success AWSPENDING stays on the version that has AWSCURRENT.")
    def rotate_secret(
        self,
        SecretId: str,
        ClientRequestToken: str = "",
        RotationLambdaARN: str | None = None,
        RotationRules: Mapping[str, Any] | None = None,
        RotateImmediately: bool = True,
        **external: Any,
    ) -> Answer:
        """Configure rotation and start it; the same token again starts nothing.

        Raises InvalidRequestException without a function and while AWSPENDING is on a version of
        its own, AccessDeniedException for a function that does not exist.
        """
        if external:
            raise refused("This sandbox has no managed external secrets.")
        secret = self._store.find(SecretId)
        answer = {"ARN": secret.arn, "Name": secret.name}
        known = secret.version(ClientRequestToken) or secret.rotating == ClientRequestToken
        if ClientRequestToken and known:
            return answer | {"VersionId": ClientRequestToken}
        function, rules = _configuration(secret, RotationLambdaARN, RotationRules)
        if secret.stuck() or secret.rotating:
            raise refused("A previous rotation isn't complete. That rotation will be reattempted.")
        secret.rotation_lambda, secret.rotation_rules = function, rules
        secret.rotation_enabled = True
        secret.next_rotation = schedule.due(secret.rotation_rules, clock.now())
        self._store.save(secret)
        if not RotateImmediately:
            return answer
        version = self._begin(secret, ClientRequestToken or str(uuid.uuid4()))
        return answer | {"VersionId": version}

    def cancel_rotate_secret(self, SecretId: str) -> Answer:
        """Turn rotation off. Labels stay where they are, so AWSPENDING may be left behind."""
        secret = self._store.find(SecretId)
        secret.rotation_enabled, secret.next_rotation = False, None
        version, secret.rotating = secret.rotating, None
        self._store.save(secret)
        answer = {"ARN": secret.arn, "Name": secret.name}
        return answer | ({"VersionId": version} if version else {})

    # -- the rotation function -------------------------------------------------------------------

    def _begin(self, secret: Secret, version_id: str) -> str:
        secret.rotating = version_id
        self._store.save(secret)
        self._spawn(self._rotate(secret, version_id))
        return version_id

    def resume(self) -> None:
        """Go on with the rotations that a restart interrupted."""
        for secret in self._store:
            if secret.rotating:
                self._spawn(self._rotate(secret, secret.rotating))

    async def _rotate(self, secret: Secret, version_id: str) -> None:
        for attempt in range(ATTEMPTS):
            if attempt:
                await clock.sleep(RETRY_SECONDS)
            if secret.rotating != version_id:
                return
            try:
                await self._function(secret, version_id)
            except FunctionFailed as error:
                log.warning("rotation of %s failed: %s", secret.name, error)
            else:
                return
        if secret.rotating == version_id:
            secret.rotating = None
            self._store.save(secret)

    async def _function(self, secret: Secret, version_id: str) -> None:
        """Create, set, test and finish; a canceled rotation ends between two steps."""
        for step in (self._create, self._set, self._test, self._finish):
            await clock.sleep(STEP_SECONDS)
            if secret.rotating != version_id:
                return
            await step(secret, version_id)
            # A secret that was deleted meanwhile must not come back.
            if secret in self._store:
                self._store.save(secret)

    async def _create(self, secret: Secret, version_id: str) -> None:
        version = secret.version(version_id)
        if version is None:
            version = new_version(version_id, None, None, [])
            secret.versions.append(version)
        secret.move(PENDING, version)
        self._store.save(secret)
        if self.rotation_failure == "empty-pending":
            raise FunctionFailed("createSecret: the new value could not be stored")
        if version.empty:
            version.text = _next_value(secret)

    @simplified("The database takes any password, so setting one there is not needed.")
    async def _set(self, _secret: Secret, _version_id: str) -> None:
        if self.rotation_failure == "lambda-error":
            raise FunctionFailed("setSecret: the function raised an error")
        while self.rotation_failure == "stuck":
            await asyncio.sleep(1)

    async def _test(self, secret: Secret, version_id: str) -> None:
        version = secret.version(version_id)
        if version is None or version.empty:
            raise FunctionFailed("testSecret: there is no value to test")

    async def _finish(self, secret: Secret, version_id: str) -> None:
        now = clock.now()
        secret.move(CURRENT, secret.version(version_id))
        secret.rotating = None
        secret.last_rotated = secret.changed = now
        secret.next_rotation = schedule.due(secret.rotation_rules, now)

    # -- the schedule ----------------------------------------------------------------------------

    async def keep_schedule(self) -> None:
        """Rotate what is due, once a sandbox minute."""
        await repeat(self.rotate_due, "rotating secrets", every=paced(LOOK_SECONDS, _REAL_PAUSE))

    def rotate_due(self) -> None:
        """Begin the rotation of every secret whose window has opened."""
        for secret in self._store:
            if not secret.rotation_enabled or secret.deleted or secret.next_rotation is None:
                continue
            idle = not secret.rotating and not secret.stuck()
            runs = secret.rotation_lambda == FUNCTION
            if idle and runs and self._open(secret):
                self._begin(secret, str(uuid.uuid4()))

    def _open(self, secret: Secret) -> bool:
        since = secret.last_rotated or secret.created
        current = secret.staged(CURRENT)
        since = max(since, current.created) if current else since
        return clock.now() >= schedule.opens(secret.rotation_rules, since)


def _configuration(
    secret: Secret, function: str | None, rules: Mapping[str, Any] | None
) -> tuple[str, dict[str, Any]]:
    """Function and rules as a request leaves them; nothing is changed by one that is refused."""
    function = function or secret.rotation_lambda
    if not function:
        raise refused("No Lambda rotation function ARN is associated with this secret.")
    if function != FUNCTION:
        message = (
            "Secrets Manager cannot invoke the specified Lambda function. Ensure that the "
            "function policy grants access to the principal secretsmanager.amazonaws.com."
        )
        raise AwsError("AccessDeniedException", message)
    if rules:
        schedule.check(rules)
    rules = dict(rules or secret.rotation_rules or {})
    if not rules:
        raise AwsError("InvalidParameterException", "You must specify RotationRules.")
    return function, rules


def _next_value(secret: Secret) -> str:
    """The current value with a new password, or a new random text."""
    current: Version | None = secret.staged(CURRENT)
    fresh = secrets.token_urlsafe(32)
    try:
        fields = json.loads(current.text) if current and current.text else None
    except ValueError:
        fields = None
    if isinstance(fields, dict) and "password" in fields:
        return json.dumps({**fields, "password": fresh})
    return fresh
