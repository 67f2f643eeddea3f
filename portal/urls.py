from django.urls import include, path

from portal import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("accounts/", include("allauth.account.urls")),
    path("", include("catalog.urls")),
    path("", include("monitoring.urls")),
    path("deployments/", include("deployments.urls")),
    path("incidents/", include("incidents.urls")),
    path("costs/", include("costs.urls")),
]
