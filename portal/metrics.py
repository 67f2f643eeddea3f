"""The portal's own metrics, for Prometheus: how late it is, what it fails at, what it costs."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog import usage
from catalog.models import Account, AwsUsage, JobRun, Operation, OperationState
from portal.prometheus import CONTENT_TYPE, Family, Sample, histogram, render
from ui.traffic import BUCKETS, traffic

_PROXIED = ("X-Forwarded-For", "Forwarded", "X-Real-Ip")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer who has the token, or asks directly from this machine."""
    if not (_has_token(request) or _is_local(request)):
        raise PermissionDenied("Metrics need the bearer token METRICS_TOKEN.")
    return HttpResponse(render(_families(timezone.now())), content_type=CONTENT_TYPE)


def _has_token(request: HttpRequest) -> bool:
    expected: str = settings.METRICS_TOKEN
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(expected) and hmac.compare_digest(sent.encode(), expected.encode())


def _is_local(request: HttpRequest) -> bool:
    # Behind a proxy everybody seems to be on loopback.
    if settings.METRICS_TOKEN or any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False


def _families(at: datetime) -> Iterator[Family]:
    yield from _operations(at)
    yield from _jobs(at)
    yield from _aws(at)
    yield from _requests()


def _operations(at: datetime) -> Iterator[Family]:
    open_ones = Operation.objects.filter(state=OperationState.OPEN, due_at__lte=at)
    oldest = open_ones.aggregate(oldest=Min("due_at"))["oldest"]
    late = (at - oldest).total_seconds() if oldest else 0.0
    yield Family(
        "quarterdeck_operation_queue_age_seconds",
        "gauge",
        "How long the oldest due operation has been waiting.",
        [Sample(late)],
    )
    counted = dict(Operation.objects.values_list("state").annotate(number=Count("pk")).order_by())
    yield Family(
        "quarterdeck_operations",
        "gauge",
        "Operations by state.",
        [
            Sample(counted.get(state, 0), {"state": state.lower()})
            for state in OperationState.values
        ],
    )


def _jobs(at: datetime) -> Iterator[Family]:
    jobs = list(JobRun.objects.order_by("job"))
    yield Family(
        "quarterdeck_job_success_age_seconds",
        "gauge",
        "Time since the periodic job last succeeded.",
        [
            Sample((at - job.succeeded_at).total_seconds(), {"job": job.job})
            for job in jobs
            if job.succeeded_at
        ],
    )
    yield Family(
        "quarterdeck_job_failing",
        "gauge",
        "1 if the newest finished run of the job failed.",
        [Sample(bool(job.error), {"job": job.job}) for job in jobs],
    )


def _aws(at: datetime) -> Iterator[Family]:
    read = Account.objects.exclude(read_at=None).values_list("account_id", "read_at")
    yield Family(
        "quarterdeck_aws_read_age_seconds",
        "gauge",
        "Time since the account was last read.",
        [Sample((at - when).total_seconds(), {"account": name}) for name, when in read if when],
    )
    today = list(AwsUsage.objects.filter(day=at.date()).order_by("service", "operation"))
    yield Family(
        "quarterdeck_aws_requests_today",
        "gauge",
        "Requests to AWS since midnight UTC.",
        [Sample(r.calls, {"service": r.service, "operation": r.operation}) for r in today],
    )
    yield Family(
        "quarterdeck_aws_estimated_cost_today_usd",
        "gauge",
        "List price of these requests.",
        [
            Sample(float(usage.price(r)), {"service": r.service, "operation": r.operation})
            for r in today
        ],
    )


def _requests() -> Iterator[Family]:
    answers, buckets, seconds = traffic.snapshot()
    yield Family(
        "quarterdeck_http_requests_total",
        "counter",
        "Answers of this process.",
        [
            Sample(number, {"method": a.method, "route": a.route, "status": str(a.status)})
            for a, number in answers.items()
        ],
    )
    yield histogram(
        "quarterdeck_http_request_duration_seconds",
        "Time to answer, in this process.",
        BUCKETS,
        buckets,
        seconds,
    )
