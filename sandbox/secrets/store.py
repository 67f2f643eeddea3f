"""The account's secrets, in memory and on disk."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.secrets.model import Secret, Version
from sandbox.state import State

_KIND = "secret"
_RANDOM_SUFFIX = 7
# Secrets Manager keeps so many versions without labels.
_DEPRECATED = 100


class Store:
    """Secrets by ARN. Every change is durable when `save` returns."""

    def __init__(self, state: State) -> None:
        self._state = state
        found = (Secret.from_document(document) for document in state.all(_KIND))
        self._secrets = {secret.arn: secret for secret in found}

    def __iter__(self) -> Iterator[Secret]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def _present(self) -> list[Secret]:
        """Every secret but those whose recovery window is over: these are forgotten."""
        now = clock.now()
        for secret in list(self._secrets.values()):
            if secret.gone and secret.gone <= now:
                self.remove(secret)
        return list(self._secrets.values())

    def find(self, secret_id: str, *, deleted: bool = False) -> Secret:
        """A secret by name, ARN or partial ARN.

        Raises ResourceNotFoundException, and InvalidRequestException for one that waits for its
        deletion unless `deleted`.
        """
        for secret in self._present():
            if secret_id in (secret.name, secret.arn, secret.arn[:-_RANDOM_SUFFIX]):
                if secret.deleted and not deleted:
                    raise marked_for_deletion()
                return secret
        message = "Secrets Manager can't find the specified secret."
        raise AwsError("ResourceNotFoundException", message)

    def named(self, name: str) -> Secret | None:
        """The secret of exactly that name, also one that waits for its deletion."""
        return next((s for s in self._present() if s.name == name), None)

    def save(self, secret: Secret) -> None:
        """Write a secret, without the oldest of its versions that nothing labels."""
        unlabelled = [v for v in secret.versions if not v.stages]
        for version in unlabelled[:-_DEPRECATED]:
            secret.versions.remove(version)
        self._secrets[secret.arn] = secret
        self._state.put(_KIND, secret.arn, secret.document())

    def remove(self, secret: Secret) -> None:
        """Forget a secret for ever."""
        del self._secrets[secret.arn]
        self._state.delete(_KIND, secret.arn)


def marked_for_deletion() -> AwsError:
    """What Secrets Manager says about a secret that was deleted."""
    message = "You can't perform this operation on the secret because it was marked for deletion."
    return AwsError("InvalidRequestException", message)


def new_version(
    version_id: str, text: str | None, binary: bytes | None, stages: list[str]
) -> Version:
    """A version made now."""
    encoded = None if binary is None else base64.b64encode(binary).decode()
    return Version(version_id, clock.now(), stages, text, encoded)


def invalid(message: str) -> AwsError:
    """InvalidParameterException."""
    return AwsError("InvalidParameterException", message)


def refused(message: str) -> AwsError:
    """InvalidRequestException."""
    return AwsError("InvalidRequestException", message)
