from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from catalog.models import Service
from deployments import images, operations, presets
from deployments.forms import NewReleaseForm
from deployments.models import Repository
from deployments.ringing import ring, ring_for_images
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role


@requires(Role.OPERATOR)
@require_http_methods(["GET", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    slug = request.POST.get("service") or request.GET.get("service", "")
    if not slug:
        services = Service.objects.present()
        return render_page(request, "deployments/choose.html", {"services": services})
    service = get_object_or_404(Service.objects.present(), slug=slug)
    repository = images.repository_for(service)
    form = _form(request, service, repository)
    if form.is_bound and form.is_valid():
        return _request(request, service, form)
    context = {
        "form": form,
        "service": service,
        "repository": repository,
        "images": repository.images.all() if repository else [],
        "presets": form.offered,
    }
    status = 422 if form.is_bound else 200
    return render_page(request, "deployments/new.html", context, status=status)


def _form(
    request: SignedInRequest, service: Service, repository: Repository | None
) -> NewReleaseForm:
    if request.method == "POST":
        return NewReleaseForm(request.POST, service=service, repository=repository)
    offered = presets.offered(has_load_balancer=service.has_load_balancer)
    initial = {"key": uuid.uuid4(), "preset": offered[0].name, "image": request.GET.get("image")}
    return NewReleaseForm(initial=initial, service=service, repository=repository)


def _request(request: SignedInRequest, service: Service, form: NewReleaseForm) -> HttpResponse:
    wanted = form.cleaned_data
    release = operations.draft(
        service=service,
        image=wanted["image"],
        preset=presets.named(wanted["preset"]),
        configuration=wanted["configuration"],
        reason=wanted["reason"],
        key=str(wanted["key"]),
        by=request.user,
        at=timezone.now(),
        ask_before_canary=wanted["ask_before_canary"],
    )
    ring()
    return redirect(release)


@requires(Role.OPERATOR)
@require_POST
def refresh_images(request: SignedInRequest) -> HttpResponse:
    service = get_object_or_404(Service.objects.present(), slug=request.POST.get("service", ""))
    if repository := images.repository_for(service):
        Repository.objects.filter(pk=repository.pk).update(refresh_requested_at=timezone.now())
        ring_for_images()
        messages.info(request, "The images are being read from ECR; reload in a moment.")
    return redirect(f"{reverse('deployments:new')}?service={service.slug}")
