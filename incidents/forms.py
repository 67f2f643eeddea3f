"""The fields of each form are the keywords of its operation."""

from __future__ import annotations

from typing import Any

from django import forms

from catalog.models import Service
from incidents import queries
from incidents.models import (
    MILESTONES,
    TRANSITIONS,
    Incident,
    IncidentRole,
    Severity,
    Status,
)
from incidents.operations.editing import editable
from incidents.severity import LEVELS, Level

LONGEST_TEXT = 4000
_SELECT = {"class": "form-select"}
_CONTROL = {"class": "form-control"}


def _text(label: str, *, rows: int, required: bool = False) -> forms.CharField:
    widget = forms.Textarea(attrs=_CONTROL | {"rows": rows})
    return forms.CharField(
        label=label, required=required, max_length=LONGEST_TEXT, widget=widget, empty_value=""
    )


def _utc_moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput(
        format="%Y-%m-%dT%H:%M", attrs=_CONTROL | {"type": "datetime-local"}
    )
    return forms.DateTimeField(label=label, widget=widget)


class FileForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    title = forms.CharField(
        label="What do users notice?",
        max_length=200,
        widget=forms.TextInput(attrs=_CONTROL | {"placeholder": "News API answers with 5xx"}),
    )
    service = forms.ModelChoiceField(
        label="Service",
        queryset=Service.objects.present(),
        to_field_name="slug",
        empty_label="Choose…",
        widget=forms.Select(attrs=_SELECT),
    )
    severity = forms.ChoiceField(
        label="Severity", choices=Severity.choices, widget=forms.RadioSelect
    )
    impact_started_at = _utc_moment("Impact started (UTC)")
    text = _text("What is known so far (optional)", rows=4)

    def clean_severity(self) -> Severity:
        return Severity(self.cleaned_data["severity"])

    def levels(self) -> list[tuple[Any, Level]]:
        """Return each radio button with the row of the severity matrix it stands for."""
        return list(zip(self["severity"], LEVELS, strict=True))


class NoteForm(forms.Form):
    key = forms.UUIDField(widget=forms.HiddenInput)
    text = _text("What is seen, what is being done", rows=3, required=True)


class _VersionedForm(forms.Form):
    """Carries the version that the person was looking at."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, incident: Incident, data: Any = None) -> None:
        super().__init__(data, initial={"version": incident.version}, auto_id=f"{self.name}-%s")

    name = ""


class SeverityForm(_VersionedForm):
    name = "severity"
    to = forms.ChoiceField(
        label="Severity", choices=Severity.choices, widget=forms.Select(attrs=_SELECT)
    )
    reason = forms.CharField(label="Why", max_length=500, widget=forms.TextInput(attrs=_CONTROL))

    def __init__(self, incident: Incident, data: Any = None) -> None:
        super().__init__(incident, data)
        self.initial["to"] = incident.severity

    def clean_to(self) -> Severity:
        return Severity(self.cleaned_data["to"])


# What the button that leads to a status says.
MOVES = {
    Status.IDENTIFIED: "Cause identified",
    Status.MITIGATED: "Mitigated: users are fine again",
    Status.RESOLVED: "Resolved",
    Status.CLOSED: "Close: the review is done",
    Status.INVESTIGATING: "Reopen",
    Status.CANCELED: "Cancel: not an incident",
}


class StatusForm(_VersionedForm):
    name = "status"
    to = forms.ChoiceField(choices=Status.choices)
    reason = _text("Say what was done or seen", rows=2)

    def __init__(self, incident: Incident, data: Any = None) -> None:
        super().__init__(incident, data)
        possible = TRANSITIONS[Status(incident.status)]
        self.moves = [(to, verb) for to, verb in MOVES.items() if to in possible]

    def clean_to(self) -> Status:
        return Status(self.cleaned_data["to"])


class RoleForm(_VersionedForm):
    name = "role"
    role = forms.ChoiceField(
        label="Role", choices=IncidentRole.choices, widget=forms.Select(attrs=_SELECT)
    )
    to = forms.ModelChoiceField(
        label="Person",
        queryset=queries.assignable(),
        empty_label="Choose…",
        widget=forms.Select(attrs=_SELECT),
    )

    def clean_role(self) -> IncidentRole:
        return IncidentRole(self.cleaned_data["role"])


class ReleaseForm(_VersionedForm):
    name = "release"


class MilestoneForm(_VersionedForm):
    name = "milestone"
    milestone = forms.ChoiceField(label="Milestone", widget=forms.Select(attrs=_SELECT))
    to = _utc_moment("Happened at (UTC)")

    def __init__(self, incident: Incident, data: Any = None) -> None:
        super().__init__(incident, data)
        choices = [(name, MILESTONES[name]) for name in editable(incident)]
        self.fields["milestone"].choices = choices  # type: ignore[attr-defined]
