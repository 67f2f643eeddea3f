"""Secrets as DescribeSecret and ListSecrets show them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.secrets.model import Secret, Version

Answer = dict[str, Any]


def described(secret: Secret) -> Answer:
    """One secret without its values; members that are not set are left out, as on AWS."""
    values = {
        "Description": secret.description,
        "KmsKeyId": secret.kms_key,
        "RotationEnabled": secret.rotation_enabled,
        "RotationLambdaARN": secret.rotation_lambda,
        "RotationRules": secret.rotation_rules,
        "LastRotatedDate": secret.last_rotated,
        "LastChangedDate": secret.changed,
        "LastAccessedDate": secret.accessed,
        "DeletedDate": secret.deleted,
        "NextRotationDate": secret.next_rotation if secret.rotation_enabled else None,
        "Tags": secret.tags,
        "CreatedDate": secret.created,
    }
    shown = {key: value for key, value in values.items() if value not in (None, "", {})}
    stages = {v.id: list(v.stages) for v in secret.versions if v.stages}
    return {"ARN": secret.arn, "Name": secret.name, **shown, "VersionIdsToStages": stages}


def listed(secret: Secret) -> Answer:
    """One entry of ListSecrets: there the versions have another name."""
    shown = described(secret)
    shown["SecretVersionsToStages"] = shown.pop("VersionIdsToStages")
    return shown


def version(found: Version) -> Answer:
    """One entry of ListSecretVersionIds."""
    shown: Answer = {
        "VersionId": found.id,
        "VersionStages": list(found.stages),
        "CreatedDate": found.created,
        "KmsKeyIds": ["DefaultEncryptionKey"],
    }
    return shown | ({"LastAccessedDate": found.accessed} if found.accessed else {})


def day(moment: datetime) -> datetime:
    """Secrets Manager tells only the day of an access, as its midnight."""
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)
