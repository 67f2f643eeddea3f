"""Savings Plans and reservations: the account has none, and the API says so as AWS does."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sandbox.costexplorer.expressions import refuse
from sandbox.costexplorer.ledger import Ledger, text
from sandbox.costexplorer.lines import ELASTICACHE, RDS, USAGE, Line
from sandbox.costexplorer.questions import Period, past, periods
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified

_ZERO_UTILIZATION = dict.fromkeys(
    (
        "UtilizationPercentage",
        "PurchasedHours",
        "TotalActualHours",
        "UnusedHours",
        "OnDemandCostOfRIHoursUsed",
        "NetRISavings",
        "TotalPotentialRISavings",
        "AmortizedUpfrontFee",
        "AmortizedRecurringFee",
        "TotalAmortizedFee",
    ),
    "0",
)
_RESERVABLE = (RDS, ELASTICACHE)
_NO_DATA = "The requested data is unavailable: the account has no Savings Plans."

Answer = dict[str, Any]


class Commitments:
    """Coverage and utilisation of commitments that nobody bought."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @our_reading("An account that never had Savings Plans gets DataUnavailableException.")
    def get_savings_plans_coverage(self, **parameters: Any) -> Answer:
        """Always raises AwsError: there are no Savings Plans."""
        return self._unavailable(parameters)

    @our_reading("An account that never had Savings Plans gets DataUnavailableException.")
    def get_savings_plans_utilization(self, **parameters: Any) -> Answer:
        """Always raises AwsError: there are no Savings Plans."""
        return self._unavailable(parameters)

    @our_reading("An account that never had Savings Plans gets DataUnavailableException.")
    def get_savings_plans_utilization_details(self, **parameters: Any) -> Answer:
        """Always raises AwsError: there are no Savings Plans."""
        return self._unavailable(parameters)

    def get_reservation_utilization(self, **parameters: Any) -> Answer:
        """Zeros in total and no periods, as AWS answers without reservations; raises AwsError."""
        past(parameters["TimePeriod"], self._ledger.today)
        self._ledger.charge()
        return {"UtilizationsByTime": [], "Total": dict(_ZERO_UTILIZATION)}

    @simplified("GroupBy, Filter and SortBy are refused.")
    def get_reservation_coverage(self, **parameters: Any) -> Answer:
        """How many hours of databases and cache nodes ran on demand: all. Raises AwsError."""
        for name in ("GroupBy", "Filter", "SortBy"):
            if parameters.get(name):
                raise refuse(f"{name} is not supported without reservations.")
        whole = past(parameters["TimePeriod"], self._ledger.today)
        asked = periods(whole, parameters.get("Granularity", "MONTHLY"))
        self._ledger.charge()
        return {
            "CoveragesByTime": [
                {"TimePeriod": each.as_dict(), "Groups": [], "Total": self._coverage(each)}
                for each in asked
            ],
            "Total": self._coverage(whole),
        }

    @simplified("No reservation is ever recommended.")
    def get_reservation_purchase_recommendation(self, **_: Any) -> Answer:
        """No recommendations."""
        self._ledger.charge()
        return {"Metadata": self._metadata("reservations"), "Recommendations": []}

    @simplified("No Savings Plan is ever recommended.")
    def get_savings_plans_purchase_recommendation(self, **_: Any) -> Answer:
        """No recommendations."""
        self._ledger.charge()
        return {"Metadata": self._metadata("savings plans")}

    def get_rightsizing_recommendation(self, **parameters: Any) -> Answer:
        """No recommendations: the account has no EC2 instances. Raises AwsError."""
        if parameters["Service"] != "AmazonEC2":
            raise refuse("Service must be AmazonEC2.")
        self._ledger.charge()
        summary = {"TotalRecommendationCount": "0", "EstimatedTotalMonthlySavingsAmount": "0"}
        return {
            "Metadata": self._metadata("rightsizing"),
            "Summary": summary | {"SavingsCurrencyCode": "USD", "SavingsPercentage": "0"},
            "RightsizingRecommendations": [],
        }

    def _metadata(self, what: str) -> Answer:
        """Recommendations are made once a day."""
        day = self._ledger.today.isoformat()
        digest = hashlib.blake2b(f"{what} {day}".encode(), digest_size=16).digest()
        made = {"GenerationTimestamp": f"{day}T00:00:00Z"}
        return made | {"RecommendationId": str(uuid.UUID(bytes=digest))}

    def _unavailable(self, parameters: Mapping[str, Any]) -> Answer:
        past(parameters["TimePeriod"], self._ledger.today)
        raise AwsError("DataUnavailableException", _NO_DATA)

    def _coverage(self, period: Period) -> Answer:
        lines = self._ledger.lines(period.start, period.end, _reservable)
        hours = text(sum((line.quantity for line in lines), Decimal(0)))
        return {
            "CoverageHours": {
                "OnDemandHours": hours,
                "ReservedHours": "0",
                "TotalRunningHours": hours,
                "CoverageHoursPercentage": "0",
            }
        }


def _reservable(line: Line) -> bool:
    hours = line.record_type == USAGE and line.unit == "Hrs"
    return hours and line.service in _RESERVABLE
