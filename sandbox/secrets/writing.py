"""Secrets Manager's operations that change secrets, but for rotation."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import json
import re
import secrets
import string
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox import clock
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.identity.evaluator import statements
from sandbox.names import ACCOUNT, REGION
from sandbox.secrets import schedule
from sandbox.secrets.model import CURRENT, Secret, Version
from sandbox.secrets.reading import Reading
from sandbox.secrets.store import invalid, new_version, refused
from sandbox.secrets.views import Answer

_NAME = re.compile(r"^[A-Za-z0-9/_+=.@!-]{1,512}$")
_ONE_REGION = "This sandbox has one region; secrets cannot be replicated."


class Writing(Reading):
    """What one may do to secrets."""

    def create_secret(
        self,
        Name: str,
        ClientRequestToken: str = "",
        Description: str = "",
        KmsKeyId: str | None = None,
        SecretString: str | None = None,
        SecretBinary: bytes | None = None,
        Tags: Sequence[Mapping[str, str]] = (),
        **other: Any,
    ) -> Answer:
        """A new secret; raises ResourceExistsException, InvalidRequest… for one being deleted."""
        _refuse_others(other)
        if not _NAME.match(Name):
            raise invalid(
                "Invalid name. Must be a valid name containing alphanumeric characters, "
                "or any of the following: -/_+=.@!"
            )
        if known := self._store.named(Name):
            raise _exists(known)
        suffix = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(6))
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{Name}-{suffix}"
        now = clock.now()
        secret = Secret(Name, arn, now, now, Description, KmsKeyId, [dict(t) for t in Tags])
        if SecretString is None and SecretBinary is None:
            self._store.save(secret)
            return {"ARN": arn, "Name": Name}
        version = self._add(secret, ClientRequestToken, SecretString, SecretBinary, (CURRENT,))
        return {"ARN": arn, "Name": Name, "VersionId": version.id}

    def put_secret_value(
        self,
        SecretId: str,
        ClientRequestToken: str = "",
        SecretString: str | None = None,
        SecretBinary: bytes | None = None,
        VersionStages: Sequence[str] = (CURRENT,),
        **other: Any,
    ) -> Answer:
        """A new version with these labels; the same token again changes nothing."""
        _refuse_others(other)
        secret = self._store.find(SecretId)
        if (SecretString is None) == (SecretBinary is None):
            raise invalid("You must provide either SecretString or SecretBinary.")
        version = self._add(
            secret, ClientRequestToken, SecretString, SecretBinary, list(VersionStages)
        )
        told = {"VersionId": version.id, "VersionStages": list(version.stages)}
        return {"ARN": secret.arn, "Name": secret.name, **told}

    def update_secret(
        self,
        SecretId: str,
        ClientRequestToken: str = "",
        Description: str | None = None,
        KmsKeyId: str | None = None,
        SecretString: str | None = None,
        SecretBinary: bytes | None = None,
        **other: Any,
    ) -> Answer:
        """Change description or key, and the value when one is given."""
        _refuse_others(other)
        secret = self._store.find(SecretId)
        secret.description = secret.description if Description is None else Description
        secret.kms_key = secret.kms_key if KmsKeyId is None else KmsKeyId
        secret.changed = clock.now()
        answer = {"ARN": secret.arn, "Name": secret.name}
        if SecretString is None and SecretBinary is None:
            self._store.save(secret)
            return answer
        version = self._add(secret, ClientRequestToken, SecretString, SecretBinary, (CURRENT,))
        return answer | {"VersionId": version.id}

    @our_reading("A manual value counts as a rotation: NextRotationDate is reckoned from it.")
    def _add(
        self,
        secret: Secret,
        token: str,
        text: str | None,
        binary: bytes | None,
        stages: Sequence[str],
    ) -> Version:
        made = new_version(token or str(uuid.uuid4()), text, binary, [])
        known = secret.version(made.id)
        if known and not known.empty:
            if (known.text, known.binary) == (made.text, made.binary):
                return known
            message = (
                "You can't modify an existing version, you can only create a new version: "
                f"{secret.name}"
            )
            raise AwsError("ResourceExistsException", message)
        if known:
            known.text, known.binary, made = made.text, made.binary, known
        else:
            secret.versions.append(made)
        for stage in stages:
            secret.move(stage, made)
        if secret.staged(CURRENT) is None:
            secret.move(CURRENT, made)
        secret.changed = clock.now()
        if CURRENT in stages and secret.rotation_enabled:
            secret.next_rotation = schedule.due(secret.rotation_rules, clock.now())
        self._store.save(secret)
        return made

    def update_secret_version_stage(
        self,
        SecretId: str,
        VersionStage: str,
        RemoveFromVersionId: str | None = None,
        MoveToVersionId: str | None = None,
    ) -> Answer:
        """Move a label, or take it away; the caller must know who has it."""
        secret = self._store.find(SecretId)
        to = _known(secret, MoveToVersionId)
        holder = secret.staged(VersionStage)
        if holder and holder is not to and RemoveFromVersionId != holder.id:
            raise invalid(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {VersionStage} "
                f"is currently attached to version {holder.id}, so you must explicitly reference "
                "that version in RemoveFromVersionId."
            )
        _known(secret, RemoveFromVersionId)
        if VersionStage == CURRENT and to is None:
            raise invalid("You can't remove the staging label AWSCURRENT without moving it.")
        if to and to.empty and VersionStage == CURRENT:
            raise refused("You can't move AWSCURRENT to a version without a value.")
        secret.move(VersionStage, to)
        secret.changed = clock.now()
        self._store.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    def delete_secret(
        self,
        SecretId: str,
        RecoveryWindowInDays: int | None = None,
        ForceDeleteWithoutRecovery: bool = False,
    ) -> Answer:
        """Mark a secret for deletion in 7 to 30 days, or delete it at once."""
        secret = self._store.find(SecretId, deleted=ForceDeleteWithoutRecovery)
        if RecoveryWindowInDays is not None and ForceDeleteWithoutRecovery:
            raise invalid(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if RecoveryWindowInDays is not None and not 7 <= RecoveryWindowInDays <= 30:
            raise invalid("The RecoveryWindowInDays value must be between 7 and 30 days.")
        days = 0 if ForceDeleteWithoutRecovery else RecoveryWindowInDays or 30
        date = clock.now() + timedelta(days=days)
        secret.rotating = None
        if ForceDeleteWithoutRecovery:
            self._store.remove(secret)
        else:
            secret.deleted, secret.gone = clock.now(), date
            self._store.save(secret)
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": date}

    def restore_secret(self, SecretId: str) -> Answer:
        """Take back a deletion."""
        secret = self._store.find(SecretId, deleted=True)
        secret.deleted = secret.gone = None
        self._store.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    def tag_resource(self, SecretId: str, Tags: Sequence[Mapping[str, str]]) -> Answer:
        """Add tags, or change their values."""
        secret = self._store.find(SecretId)
        if not all("Key" in tag for tag in Tags):
            raise invalid("The tag key can't be null.")
        kept = {tag["Key"]: tag for tag in secret.tags} | {t["Key"]: dict(t) for t in Tags}
        secret.tags = list(kept.values())
        self._store.save(secret)
        return {}

    def untag_resource(self, SecretId: str, TagKeys: Sequence[str]) -> Answer:
        """Remove tags by key."""
        secret = self._store.find(SecretId)
        secret.tags = [tag for tag in secret.tags if tag["Key"] not in TagKeys]
        self._store.save(secret)
        return {}

    def put_resource_policy(
        self, SecretId: str, ResourcePolicy: str, BlockPublicPolicy: bool = False, **other: Any
    ) -> Answer:
        """Replace the policy on a secret; raises MalformedPolicyDocument, PublicPolicy…"""
        _refuse_others(other)
        secret = self._store.find(SecretId)
        if BlockPublicPolicy and _public(_parsed(ResourcePolicy)):
            message = "You can't set a resource policy that allows broad access to the secret."
            raise AwsError("PublicPolicyException", message)
        secret.policy = json.dumps(_parsed(ResourcePolicy))
        self._store.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    def delete_resource_policy(self, SecretId: str, **other: Any) -> Answer:
        """Remove the policy from a secret."""
        _refuse_others(other)
        secret = self._store.find(SecretId)
        secret.policy = None
        self._store.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    @simplified("Only syntax and public principals are looked at.")
    def validate_resource_policy(self, ResourcePolicy: str, SecretId: str = "") -> Answer:
        """Whether a policy is sound."""
        if SecretId:
            self._store.find(SecretId)
        if not _public(_parsed(ResourcePolicy)):
            return {"PolicyValidationPassed": True, "ValidationErrors": []}
        message = "The policy allows everybody to read the secret."
        error = {"CheckName": "PublicPolicy", "ErrorMessage": message}
        return {"PolicyValidationPassed": False, "ValidationErrors": [error]}

    def replicate_secret_to_regions(self, **_: Any) -> Answer:
        """Refused."""
        raise refused(_ONE_REGION)

    def remove_regions_from_replication(self, **_: Any) -> Answer:
        """Refused."""
        raise refused(_ONE_REGION)

    def stop_replication_to_replica(self, **_: Any) -> Answer:
        """Refused."""
        raise refused(_ONE_REGION)


def _refuse_others(other: Mapping[str, Any]) -> None:
    if other:
        raise invalid(f"This sandbox does not know {', '.join(sorted(other))}.")


def _exists(known: Secret) -> AwsError:
    if known.deleted:
        message = (
            "You can't create this secret because a secret with this name is already scheduled "
            "for deletion."
        )
        return refused(message)
    message = f"The operation failed because the secret {known.name} already exists."
    return AwsError("ResourceExistsException", message)


def _known(secret: Secret, version_id: str | None) -> Version | None:
    if version_id is None:
        return None
    found = secret.version(version_id)
    if found is None:
        message = "Secrets Manager can't find the specified secret version."
        raise AwsError("ResourceNotFoundException", message)
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        list(statements(text))
    except AwsError as error:
        message = "This resource policy contains a syntax error."
        raise AwsError("MalformedPolicyDocumentException", message) from error
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def _public(policy: Mapping[str, Any]) -> bool:
    """Whether a statement lets everybody in, unconditionally."""
    statements = policy["Statement"]
    for one in statements if isinstance(statements, list) else [statements]:
        principal = one.get("Principal")
        everybody = principal == "*" or (
            isinstance(principal, dict) and principal.get("AWS") in ("*", ["*"])
        )
        if one.get("Effect") == "Allow" and everybody and not one.get("Condition"):
            return True
    return False
