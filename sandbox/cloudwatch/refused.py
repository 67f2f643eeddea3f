"""CloudWatch operations that the sandbox does not have: refused by name.

Left alone they would go to moto, which knows other metrics than these and computes nothing.
"""

from __future__ import annotations

from typing import Any, NoReturn

from botocore import xform_name

from sandbox.errors import AwsError
from sandbox.honesty import refused

OPERATIONS = (
    *("DeleteAnomalyDetector", "DescribeAnomalyDetectors", "PutAnomalyDetector"),
    *("DeleteInsightRules", "DescribeInsightRules", "DisableInsightRules", "EnableInsightRules"),
    *("GetInsightRuleReport", "ListManagedInsightRules", "PutInsightRule"),
    "PutManagedInsightRules",
    *("DeleteMetricStream", "GetMetricStream", "ListMetricStreams", "PutMetricStream"),
    *("StartMetricStreams", "StopMetricStreams"),
    "GetMetricWidgetImage",
    *("DeleteMetricDataQueryDefinition", "GetMetricDataQueryDefinition"),
    *("ListMetricDataQueryDefinitions", "PutMetricDataQueryDefinition"),
    *("CreateResourceMetricsConfiguration", "DeleteResourceMetricsConfiguration"),
    *("GetResourceMetricsConfiguration", "UpdateResourceMetricsConfiguration"),
    *("GetOTelEnrichment", "StartOTelEnrichment", "StopOTelEnrichment", "UpdateOTelEnrichment"),
    *("AssociateDatasetKmsKey", "DisassociateDatasetKmsKey", "GetDataset"),
)
_NAMES = {xform_name(name): name for name in OPERATIONS}


class Refused:
    """Answers every operation of `OPERATIONS` with InvalidAction."""

    def __getattr__(self, method: str) -> Any:
        """The refusal of an operation in snake case; AttributeError for any other name."""
        if method not in _NAMES:
            raise AttributeError(method)

        def refuse(**_: object) -> NoReturn:
            message = f"The sandbox does not support cloudwatch:{_NAMES[method]}."
            raise AwsError("InvalidAction", message)

        return refused("Answered with InvalidAction.")(refuse)
