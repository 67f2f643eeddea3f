from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from deployments import operations, queries
from deployments.forms import ApproveForm, ReasonForm, RestoreForm
from deployments.models import DecisionPoint, Release
from deployments.ringing import act_now, ring
from ui.gates import requires
from ui.http import SignedInRequest
from ui.roles import Role


@requires(Role.OPERATOR)
@require_POST
def check_again(request: SignedInRequest, pk: int) -> HttpResponse:
    release = _release(pk)
    return _act(request, release, partial(operations.check_again, release=release))


@requires(Role.OPERATOR)
@require_POST
def start(request: SignedInRequest, pk: int) -> HttpResponse:
    release = _release(pk)
    return _act(request, release, partial(operations.start, release=release))


@requires(Role.OPERATOR)
@require_POST
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    release = _release(pk)
    return _act(request, release, partial(operations.cancel, release=release))


@requires(Role.OPERATOR)
@require_POST
def roll_back(request: SignedInRequest, pk: int) -> HttpResponse:
    release = _release(pk)
    roll_back = partial(operations.roll_back, release=release, reason=_reason(request))
    return _act(request, release, roll_back, then=partial(act_now, release))


@requires(Role.APPROVER)
@require_POST
def approve(request: SignedInRequest, hook_id: str) -> HttpResponse:
    decision = _decision(hook_id)
    verdict = queries.judged(queries.compared(decision.release, timezone.now()))
    form = ApproveForm(request.POST, evidence_passed=queries.speaks_for(decision, verdict))
    if not form.is_valid():
        messages.error(request, _first_error(form))
        return redirect(decision.release)
    approve = partial(operations.approve, decision=decision, reason=form.cleaned_data["reason"])
    return _act(request, decision.release, approve, then=partial(act_now, decision.release))


@requires(Role.OPERATOR)
@require_POST
def reject(request: SignedInRequest, hook_id: str) -> HttpResponse:
    decision = _decision(hook_id)
    reject = partial(operations.reject, decision=decision, reason=_reason(request))
    return _act(request, decision.release, reject, then=partial(act_now, decision.release))


@requires(Role.OPERATOR)
@require_POST
def restore(request: SignedInRequest, pk: int) -> HttpResponse:
    release = _release(pk)
    form = RestoreForm(request.POST, release=release)
    if not form.is_valid():
        messages.error(request, _first_error(form))
        return redirect(release)
    try:
        restoring = operations.restore(
            release=release,
            reason=form.cleaned_data["reason"],
            key=str(form.cleaned_data["key"]),
            by=request.user,
            at=timezone.now(),
        )
    except operations.CannotMove as error:
        messages.warning(request, str(error))
        return redirect(release)
    ring()
    return redirect(restoring)


def _act(
    request: SignedInRequest,
    release: Release,
    operation: Callable[..., None],
    *,
    then: Callable[[], None] = ring,
) -> HttpResponse:
    try:
        operation(by=request.user, at=timezone.now())
    except operations.CannotMove as error:
        messages.warning(request, str(error))
    else:
        then()
    return redirect(release)


def _release(pk: int) -> Release:
    return get_object_or_404(Release.objects.select_related("service"), pk=pk)


def _decision(hook_id: str) -> DecisionPoint:
    found = DecisionPoint.objects.select_related("release__service", "decided_by")
    return get_object_or_404(found, hook_id=hook_id)


def _reason(request: SignedInRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""


def _first_error(form: ApproveForm | RestoreForm) -> str:
    return str(next(iter(form.errors.values()))[0])
