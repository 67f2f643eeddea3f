from django.urls import include, path

from portal import health, metrics, overview, views

urlpatterns = [
    path("", overview.overview, name="overview"),
    path("search/", views.search_page, name="search"),
    path("people/", views.people_page, name="people"),
    path("people/add/", views.add_person, name="add_person"),
    path("people/<int:pk>/", views.change_person, name="change_person"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("accounts/", include("portal.sign_in")),
    path("", include("catalog.urls")),
    path("", include("monitoring.urls")),
    path("deployments/", include("deployments.urls")),
    path("incidents/", include("incidents.urls")),
    path("costs/", include("costs.urls")),
]

handler400 = "portal.problems.bad_request"
handler403 = "portal.problems.forbidden"
handler404 = "portal.problems.not_found"
handler500 = "portal.problems.server_error"
