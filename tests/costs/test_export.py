"""The same figures as files."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from tests.costs.builders import full

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands")]


def test_the_csv_has_exact_amounts_of_the_same_rows(client, vera, ingested):
    ingested(full)

    response = client.get("/costs/2026-10.csv?view=net")

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert {
        row["service"]: row["usd"] for row in rows if row["section"] != "Credits and refunds"
    } == {
        "EC2 - Other": "33.48",
        "Tax": "9.17",
    }
    assert sum(Decimal(row["usd"]) for row in rows) == Decimal("17.65")
    assert response["Content-Disposition"] == 'attachment; filename="costs-2026-10-net.csv"'


def test_the_csv_of_a_service_has_its_usage_types(client, vera, ingested):
    ingested(full)

    response = client.get("/costs/2026-10/service.csv?name=EC2+-+Other")

    (row,) = csv.DictReader(io.StringIO(response.text))
    assert (row["usage_type"], row["quantity"], row["usd"]) == ("NatGateway-Hours", "744", "33.48")
