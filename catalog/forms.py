from __future__ import annotations

from django import forms

from catalog.queries import AuditFilter


class ServiceFilterForm(forms.Form):
    q = forms.CharField(required=False, max_length=100)
    environment = forms.CharField(required=False, max_length=64)


class AuditFilterForm(forms.Form):
    """What the audit page was asked for; anything that is not valid is ignored."""

    actor = forms.CharField(required=False, max_length=150)
    action = forms.CharField(required=False, max_length=80)
    target = forms.CharField(required=False, max_length=300)
    outcome = forms.ChoiceField(
        required=False,
        choices=[("", "any"), ("done", "done"), ("refused", "refused"), ("failed", "failed")],
    )
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    after = forms.IntegerField(required=False, min_value=1, max_value=2**62)

    def wanted(self) -> AuditFilter:
        """Return the filter; call after `is_valid()`."""
        names = ("actor", "action", "target", "outcome")
        return AuditFilter(**{name: self.cleaned_data.get(name, "") for name in names})
