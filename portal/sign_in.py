"""The pages of allauth that the portal uses; sign-up, e-mail and reset are not mounted."""

from __future__ import annotations

from allauth.account import views
from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    # allauth's pages refer to this name; nobody can register here.
    path("signup/", RedirectView.as_view(pattern_name="account_login"), name="account_signup"),
    path("login/", views.login, name="account_login"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("reauthenticate/", views.reauthenticate, name="account_reauthenticate"),
    path("password/change/", views.password_change, name="account_change_password"),
]
