from django.urls import path

from news_api import health, problems
from news_api.api import api

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", api.urls),
]

handler400 = problems.bad_request
handler404 = problems.not_found
handler500 = problems.server_error
