from django.urls import path

from deployments import views

app_name = "deployments"
urlpatterns = [
    path("", views.index, name="list"),
    path("approvals/", views.approvals, name="approvals"),
    path("new/", views.new, name="new"),
    path("images/refresh/", views.refresh_images, name="refresh_images"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/check/", views.check_again, name="check_again"),
    path("<int:pk>/start/", views.start, name="start"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/roll-back/", views.roll_back, name="roll_back"),
    path("<int:pk>/restore/", views.restore, name="restore"),
    path("decisions/<str:hook_id>/approve/", views.approve, name="approve"),
    path("decisions/<str:hook_id>/reject/", views.reject, name="reject"),
]
