"""Trail, keys, certificate and buckets in moto. GuardDuty and flow logs are off: see FAULTS.md."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest import mock

from sandbox.measurements import resource_id
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, REGION

TRAIL, TRAIL_BUCKET = "account", f"news-trail-{ACCOUNT}"
CERTIFICATE = (
    f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/"
    f"{resource_id('certificate')[:8]}-0000-4000-8000-{resource_id('status')[:12]}"
)
# Alias, description, whether the key rotates every year.
_KEYS = (("news-data", "Database and logs", True), ("news-secrets", "Secrets", False))


def seed(epoch: datetime) -> None:
    """Create what watches over the account. `epoch`: its first start."""
    _trail(epoch)
    _keys(epoch)


def _trail(epoch: datetime) -> None:
    # moto's table of buckets is of all accounts in one process; a second seed finds its own.
    backend("s3", ACCOUNT, "aws").create_bucket(TRAIL_BUCKET, REGION)
    cloudtrail = backend("cloudtrail", ACCOUNT, REGION)
    cloudtrail.create_trail(
        name=TRAIL,
        bucket_name=TRAIL_BUCKET,
        s3_key_prefix=None,
        sns_topic_name=None,
        is_global=True,
        is_multi_region=True,
        log_validation=True,
        is_org_trail=False,
        cw_log_group_arn=None,
        cw_role_arn=None,
        kms_key_id=None,
        tags_list=[],
    )
    cloudtrail.start_logging(TRAIL)
    cloudtrail.trails[TRAIL].status.started = epoch - timedelta(days=400)


def _keys(epoch: datetime) -> None:
    kms = backend("kms", ACCOUNT, REGION)
    for alias, description, rotates in _KEYS:
        key = kms.create_key(None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", description, [])
        key.creation_date = (epoch - timedelta(days=400)).timestamp()
        kms.create_alias(key.id, f"alias/{alias}")
        if rotates:
            kms.enable_key_rotation(key.id)


def certificate() -> str:
    """The ARN of the certificate of status.news.example, created when it is not there yet."""
    acm = backend("acm", ACCOUNT, REGION)
    if CERTIFICATE not in acm._certificates:
        with mock.patch("moto.acm.models.make_arn_for_certificate", return_value=CERTIFICATE):
            acm.request_certificate("status.news.example", None, [], [])
    return CERTIFICATE
