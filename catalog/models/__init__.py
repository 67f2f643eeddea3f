"""What every other app points at."""

from catalog.models.account import Account, Service
from catalog.models.audit import AuditEntry
from catalog.models.change import ChangeEvent, ChangeKind
from catalog.models.job import AwsUsage, JobRun
from catalog.models.operation import Effect, EffectState, Operation, OperationState
from catalog.models.user import User

__all__ = [
    "Account",
    "AuditEntry",
    "AwsUsage",
    "ChangeEvent",
    "ChangeKind",
    "Effect",
    "EffectState",
    "JobRun",
    "Operation",
    "OperationState",
    "Service",
    "User",
]
