from __future__ import annotations

from django import forms

from ui.roles import Role


class PersonForm(forms.Form):
    """What an admin changes about a person."""

    role = forms.ChoiceField(choices=Role.choices)
    active = forms.BooleanField(required=False)


class NewPersonForm(forms.Form):
    username = forms.CharField(max_length=150)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)
