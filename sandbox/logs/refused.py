"""Operations of CloudWatch Logs that the sandbox does not have: refused by name.

Left alone they would go to moto, which knows other log groups than these.
"""

from __future__ import annotations

from typing import Any, NoReturn

from botocore import xform_name

from sandbox.errors import AwsError
from sandbox.honesty import refused

OPERATIONS = (
    *("AssociateKmsKey", "DisassociateKmsKey"),
    *("AssociateSourceToS3TableIntegration", "DisassociateSourceFromS3TableIntegration"),
    *("CancelExportTask", "CreateExportTask", "DescribeExportTasks"),
    *("CancelImportTask", "CreateImportTask", "DescribeImportTasks", "DescribeImportTaskBatches"),
    *("CreateDelivery", "DeleteDelivery", "DescribeDeliveries", "GetDelivery"),
    *("DeleteDeliveryDestination", "DescribeDeliveryDestinations", "GetDeliveryDestination"),
    *("DeleteDeliveryDestinationPolicy", "GetDeliveryDestinationPolicy"),
    *("PutDeliveryDestination", "PutDeliveryDestinationPolicy", "UpdateDeliveryConfiguration"),
    *("DeleteDeliverySource", "DescribeDeliverySources", "GetDeliverySource", "PutDeliverySource"),
    *("DescribeConfigurationTemplates", "GetLogFields", "GetLogObject"),
    *("CreateLogAnomalyDetector", "DeleteLogAnomalyDetector", "GetLogAnomalyDetector"),
    *("ListAnomalies", "ListLogAnomalyDetectors", "UpdateAnomaly", "UpdateLogAnomalyDetector"),
    *("CreateLookupTable", "DeleteLookupTable", "DescribeLookupTables", "GetLookupTable"),
    *("UpdateLookupTable", "CreateScheduledQuery", "DeleteScheduledQuery", "GetScheduledQuery"),
    *("GetScheduledQueryHistory", "ListScheduledQueries", "UpdateScheduledQuery"),
    *("DeleteAccountPolicy", "DescribeAccountPolicies", "PutAccountPolicy"),
    *("DeleteDataProtectionPolicy", "GetDataProtectionPolicy", "PutDataProtectionPolicy"),
    *("DeleteDestination", "DescribeDestinations", "PutDestination", "PutDestinationPolicy"),
    *("DeleteIndexPolicy", "DescribeIndexPolicies", "DescribeFieldIndexes", "PutIndexPolicy"),
    *("DeleteIntegration", "GetIntegration", "ListIntegrations", "PutIntegration"),
    *("DeleteResourcePolicy", "DescribeResourcePolicies", "PutResourcePolicy"),
    *("DeleteSubscriptionFilter", "DescribeSubscriptionFilters", "PutSubscriptionFilter"),
    *("DeleteSyslogConfiguration", "ListSyslogConfigurations", "PutSyslogConfiguration"),
    *("DeleteTransformer", "GetTransformer", "PutTransformer", "TestTransformer"),
    *("GetStorageTierPolicy", "PutStorageTierPolicy", "PutBearerTokenAuthentication"),
    *("ListAggregateLogGroupSummaries", "ListSourcesForS3TableIntegration"),
    *("PutLogGroupDeletionProtection", "StartLiveTail"),
)
_NAMES = {xform_name(name): name for name in OPERATIONS}


class Refused:
    """Answers every operation of `OPERATIONS` with UnknownOperationException."""

    def __getattr__(self, method: str) -> Any:
        """The refusal of an operation in snake case; AttributeError for any other name."""
        if method not in _NAMES:
            raise AttributeError(method)

        def refuse(**_: object) -> NoReturn:
            message = f"The sandbox does not support logs:{_NAMES[method]}."
            raise AwsError("UnknownOperationException", message)

        return refused("Answered with UnknownOperationException.")(refuse)
