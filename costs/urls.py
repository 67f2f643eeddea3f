from django.urls import path, register_converter

from costs import views
from costs.months import Month


class MonthConverter:
    """A month in an address: `2026-11`."""

    regex = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> Month:
        return Month.parse(value)

    def to_url(self, value: Month | str) -> str:
        return str(value)


register_converter(MonthConverter, "month")

app_name = "costs"
urlpatterns = [
    path("", views.month, name="month"),
    path("<month:month>/", views.month, name="month"),
    path("<month:month>.csv", views.month_csv, name="month_csv"),
    path("<month:month>/service/", views.service, name="service"),
    path("<month:month>/service.csv", views.service_csv, name="service_csv"),
]
