from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST, require_safe

from catalog.models import User
from portal import people, search
from portal.forms import NewPersonForm, PersonForm
from ui.gates import requires
from ui.http import SignedInRequest, render_page
from ui.roles import Role


@require_safe
@requires(Role.VIEWER)
def search_page(request: SignedInRequest) -> HttpResponse:
    # PostgreSQL holds no NUL.
    query = request.GET.get("q", "").replace("\0", "").strip()[:100]
    context = {"query": query, "results": search.find(query)}
    return render_page(request, "search.html", context, partials={"results"})


@require_safe
@requires(Role.ADMIN)
def people_page(request: SignedInRequest) -> HttpResponse:
    everyone = User.objects.order_by("-is_active", "username")
    context = {"everyone": everyone, "roles": Role, "form": NewPersonForm()}
    return render_page(request, "account/people.html", context)


@require_POST
@requires(Role.ADMIN)
def add_person(request: SignedInRequest) -> HttpResponse:
    form = NewPersonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a name and a role.")
        return redirect("people")
    password = people.generated_password()
    wanted = form.cleaned_data
    try:
        people.add(
            username=wanted["username"],
            role=Role(wanted["role"]),
            password=password,
            by=request.user,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request, f"{wanted['username']} can sign in with {password} (shown only once)."
        )
    return redirect("people")


@require_POST
@requires(Role.ADMIN)
def change_person(request: SignedInRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    form = PersonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
        return redirect("people")
    wanted = form.cleaned_data
    try:
        if wanted["role"] != person.role:
            people.change_role(person=person, role=Role(wanted["role"]), by=request.user)
        if wanted["active"] != person.is_active:
            people.set_active(person=person, active=wanted["active"], by=request.user)
    except people.NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{person.username} has been changed.")
    return redirect("people")
