from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("services/", views.services, name="services"),
    path("audit/", views.audit_log, name="audit"),
    path("audit.csv", views.audit_csv, name="audit_csv"),
]
