"""Who used which service last: roles' history, the credential report. Facts of the seeded world."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sandbox import clock, tokens
from sandbox.errors import AwsError
from sandbox.honesty import simplified
from sandbox.identity import principals
from sandbox.identity.evaluator import listed, statements
from sandbox.identity.principals import Principal
from sandbox.names import ACCOUNT, REGION
from sandbox.state import State

Answer = dict[str, Any]
InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
# Sandbox seconds until a report is there.
_REPORT_SECONDS = 3.0
_REPORT_HOURS = 4
_PAGE = 100
_NAMES = {
    "cloudwatch": "Amazon CloudWatch",
    "ecr": "Amazon Elastic Container Registry",
    "ecs": "Amazon Elastic Container Service",
    "elasticloadbalancing": "AWS Elastic Load Balancing",
    "iam": "AWS Identity and Access Management",
    "lambda": "AWS Lambda",
    "logs": "Amazon CloudWatch Logs",
    "rds": "Amazon RDS",
    "s3": "Amazon S3",
    "secretsmanager": "AWS Secrets Manager",
}
# Days before the epoch on which a principal last used a service; what is not here was never used.
_USED: Mapping[str, Mapping[str, int]] = {
    "news-api": {"cloudwatch": 0},
    "news-ingest": {"cloudwatch": 0},
    "ecs-execution": {"ecr": 2, "logs": 0, "secretsmanager": 2},
    "ecs-load-balancers": {"elasticloadbalancing": 2},
    "github-deploy": {"ecs": 2, "iam": 2},
    "github-images": {"ecr": 1},
    "quarterdeck": {"ecs": 0, "cloudwatch": 0, "iam": 2},
    "ci-legacy": {"ecr": 291},
}
_COLUMNS = (
    "user", "arn", "user_creation_time", "password_enabled", "password_last_used",
    "password_last_changed", "password_next_rotation", "mfa_active", "access_key_1_active",
    "access_key_1_last_rotated", "access_key_1_last_used_date", "access_key_1_last_used_region",
    "access_key_1_last_used_service", "access_key_2_active", "access_key_2_last_rotated",
    "access_key_2_last_used_date", "access_key_2_last_used_region",
    "access_key_2_last_used_service", "cert_1_active", "cert_1_last_rotated", "cert_2_active",
    "cert_2_last_rotated",
)  # fmt: skip


class History:
    """Last access by service, and the report on users' credentials."""

    def __init__(self, in_moto: InMoto, state: State, epoch: datetime) -> None:
        self._in_moto = in_moto
        self._state = state
        self._epoch = epoch

    # -- last access by service ------------------------------------------------------------------

    @simplified("History of the seeded roles; calls made since are not attributed to a caller.")
    async def generate_service_last_accessed_details(
        self, Arn: str, Granularity: str = "SERVICE_LEVEL"
    ) -> Answer:
        """Begin a report on a principal; raises NoSuchEntity."""
        await self._in_moto(partial(principals.find, Arn))
        job_id = str(uuid.uuid4())
        job = {"arn": Arn, "kind": Granularity, "at": clock.now()}
        self._state.put("last-accessed", job_id, job)
        return {"JobId": job_id}

    @simplified("Services are told, single actions are not.")
    async def get_service_last_accessed_details(
        self, JobId: str, MaxItems: int = _PAGE, Marker: str | None = None
    ) -> Answer:
        """The report: every service that the principal's policies allow something of."""
        job = self._state.get("last-accessed", JobId)
        if job is None:
            raise AwsError("NoSuchEntity", f"Job {JobId} cannot be found.", 404)
        done = job["at"] + timedelta(seconds=_REPORT_SECONDS)
        answer = {"JobType": job["kind"], "JobCreationDate": job["at"], "IsTruncated": False}
        if clock.now() < done:
            # The model requires a completion date of a job that has not ended.
            pending = {"JobStatus": "IN_PROGRESS", "ServicesLastAccessed": []}
            return answer | pending | {"JobCompletionDate": done}
        found: Principal = await self._in_moto(partial(principals.find, job["arn"]))
        services = [self._service(job["arn"], name) for name in _granted(found)]
        begin = _begin(Marker, {"job": JobId})
        end = begin + MaxItems
        if end < len(services):
            answer |= {"IsTruncated": True, "Marker": tokens.write([end], {"job": JobId})}
        complete = {"JobStatus": "COMPLETED", "JobCompletionDate": done}
        return answer | complete | {"ServicesLastAccessed": services[begin:end]}

    def _service(self, arn: str, namespace: str) -> Answer:
        shown: Answer = {
            "ServiceName": _NAMES.get(namespace, namespace),
            "ServiceNamespace": namespace,
            "TotalAuthenticatedEntities": 0,
        }
        days = _USED.get(arn.rpartition("/")[2], {}).get(namespace)
        if days is None:
            return shown
        return shown | {
            "LastAuthenticated": self._epoch - timedelta(days=days, hours=1),
            "LastAuthenticatedEntity": arn,
            "LastAuthenticatedRegion": REGION,
            "TotalAuthenticatedEntities": 1,
        }

    # -- the credential report -------------------------------------------------------------------

    async def generate_credential_report(self) -> Answer:
        """Begin a report; one that is younger than four hours is not made again."""
        at = self._requested()
        if at is None:
            self._state.put("credential-report", "at", {"at": clock.now()})
            description = "No report exists. Starting a new report generation task"
            return {"State": "STARTED", "Description": description}
        return {"State": "COMPLETE" if _ready(at) else "INPROGRESS"}

    async def get_credential_report(self) -> Answer:
        """The report as CSV; raises ReportNotPresent, ReportInProgress."""
        at = self._requested()
        if at is None:
            raise AwsError("ReportNotPresent", "No report is present.", 410)
        if not _ready(at):
            raise AwsError("ReportInProgress", "Report generation is in progress.", 404)
        rows = [self._root(), *await self._in_moto(_users)]
        lines = [_COLUMNS, *(_row(row) for row in rows)]
        content = "\n".join(",".join(line) for line in lines).encode()
        return {"Content": content, "ReportFormat": "text/csv", "GeneratedTime": at}

    def _requested(self) -> datetime | None:
        known = self._state.get("credential-report", "at")
        young = known and clock.now() < known["at"] + timedelta(hours=_REPORT_HOURS)
        return known["at"] if young else None

    def _root(self) -> Answer:
        made = self._epoch - timedelta(days=800)
        return {
            "user": "<root_account>",
            "arn": f"arn:aws:iam::{ACCOUNT}:root",
            "user_creation_time": made,
            "password_enabled": "not_supported",
            "password_last_used": self._epoch - timedelta(days=212),
            "password_last_changed": "not_supported",
            "password_next_rotation": "not_supported",
            "mfa_active": True,
        }


def _granted(principal: Principal) -> list[str]:
    """Service prefixes of everything the policies allow; all we know of for `*`."""
    found: set[str] = set()
    for statement in _allowing(principal):
        for action in listed(statement, "Action", "NotAction"):
            prefix = action.partition(":")[0].lower()
            found |= set(_NAMES) if prefix == "*" or "NotAction" in statement else {prefix}
    return sorted(found)


def _allowing(principal: Principal) -> Iterator[Mapping[str, Any]]:
    for policy in principal.policies:
        for statement, _, _ in statements(policy.text):
            if statement["Effect"] == "Allow":
                yield statement


def _ready(at: datetime) -> bool:
    return clock.now() >= at + timedelta(seconds=_REPORT_SECONDS)


def _begin(marker: str | None, question: Mapping[str, Any]) -> int:
    try:
        return tokens.read(marker, question)[0] if marker else 0
    except tokens.WrongToken as error:
        raise AwsError("InvalidInput", "Invalid Marker.") from error


def _users() -> list[Answer]:
    """The rows of the account's users, from moto's IAM."""
    return [_user(user) for user in principals.iam().users.values()]


def _user(user: Any) -> Answer:
    row: Answer = {
        "user": user.name,
        "arn": user.arn,
        "user_creation_time": user.create_date.replace(tzinfo=UTC),
        "password_enabled": bool(user.password),
        "mfa_active": bool(user.mfa_devices),
    }
    for number, key in enumerate(user.access_keys, start=1):
        name = f"access_key_{number}"
        row |= {
            f"{name}_active": key.status == "Active",
            f"{name}_last_rotated": key.create_date.replace(tzinfo=UTC),
        }
        if key.last_used:
            row |= {
                f"{name}_last_used_date": key.last_used.timestamp.replace(tzinfo=UTC),
                f"{name}_last_used_region": key.last_used.region,
                f"{name}_last_used_service": key.last_used.service,
            }
    return row


def _row(values: Mapping[str, Any]) -> Sequence[str]:
    return [_cell(column, values.get(column)) for column in _COLUMNS]


def _cell(column: str, value: Any) -> str:
    if value is None:
        return "false" if column.endswith("_active") else "N/A"
    if isinstance(value, bool):
        return json.dumps(value)
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)
