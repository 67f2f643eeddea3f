"""The fields of each form are what its operation needs."""

from __future__ import annotations

from typing import Any

from django import forms

from catalog.models import Service
from deployments import presets
from deployments.models import Image, Release, Repository

SHORTEST_REASON = 10
_CONTROL = {"class": "form-control"}


class NewReleaseForm(forms.Form):
    """Which image, how, and why. Empty numbers are the preset's."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    image = forms.ModelChoiceField(
        queryset=Image.objects.none(),
        to_field_name="digest",
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": "Choose an image."},
    )
    preset = forms.ChoiceField(
        widget=forms.RadioSelect, error_messages={"required": "Choose how to release."}
    )
    percent = forms.FloatField(
        label="Canary share (percent)",
        required=False,
        min_value=presets.PERCENT_RANGE[0],
        max_value=presets.PERCENT_RANGE[1],
        step_size=0.1,
        widget=forms.NumberInput(attrs=_CONTROL),
    )
    canary_bake = forms.IntegerField(
        label="Canary bake (minutes)",
        required=False,
        min_value=presets.BAKE_RANGE[0],
        max_value=presets.BAKE_RANGE[1],
        widget=forms.NumberInput(attrs=_CONTROL),
    )
    bake = forms.IntegerField(
        label="Bake after all traffic moved (minutes)",
        required=False,
        min_value=presets.BAKE_RANGE[0],
        max_value=presets.BAKE_RANGE[1],
        widget=forms.NumberInput(attrs=_CONTROL),
    )
    pause_minutes = forms.IntegerField(
        label="A pause expires after (minutes)",
        required=False,
        min_value=presets.PAUSE_RANGE[0],
        max_value=presets.PAUSE_RANGE[1],
        widget=forms.NumberInput(attrs=_CONTROL | {"placeholder": "60"}),
    )
    ask_before_canary = forms.BooleanField(
        label="Also ask before the canary takes its first traffic", required=False
    )
    reason = forms.CharField(
        label="Why? (the release's history and the incident page show it)",
        min_length=SHORTEST_REASON,
        max_length=500,
        widget=forms.TextInput(attrs=_CONTROL),
    )

    def __init__(
        self, *args: Any, service: Service, repository: Repository | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.offered = presets.offered(has_load_balancer=service.has_load_balancer)
        choice = self.fields["preset"]
        assert isinstance(choice, forms.ChoiceField)  # noqa: S101  for the type checker
        choice.choices = [(each.name, each.title) for each in self.offered]
        image = self.fields["image"]
        assert isinstance(image, forms.ModelChoiceField)  # noqa: S101  for the type checker
        image.queryset = repository.images.all() if repository else Image.objects.none()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        try:
            cleaned["configuration"] = presets.configuration(
                presets.named(cleaned["preset"]),
                percent=cleaned["percent"],
                canary_bake=cleaned["canary_bake"],
                bake=cleaned["bake"],
                pause_minutes=cleaned["pause_minutes"] or 60,
            )
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        return cleaned


class ReasonForm(forms.Form):
    """Why somebody decides; may be left out where seconds count."""

    reason = forms.CharField(max_length=500, required=False)


class ApproveForm(forms.Form):
    """An approval against the evidence, or without enough of it, needs a reason."""

    reason = forms.CharField(max_length=500, required=False)

    def __init__(self, *args: Any, evidence_passed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = not evidence_passed
        self.fields["reason"].error_messages["required"] = (
            "The evidence does not say “pass”: write down why you go on."
        )


class RestoreForm(forms.Form):
    """Typed confirmation of a change that moves production without pauses."""

    key = forms.UUIDField()
    typed = forms.CharField(max_length=255)
    reason = forms.CharField(
        min_length=SHORTEST_REASON,
        max_length=500,
        error_messages={"min_length": "Say in ten characters or more why."},
    )

    def __init__(self, *args: Any, release: Release, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._name = release.service.name

    def clean_typed(self) -> str:
        typed: str = self.cleaned_data["typed"]
        if typed.strip() != self._name:
            raise forms.ValidationError(f"Type {self._name} to confirm.")
        return typed
