"""Operations of CloudWatch Logs that the sandbox does not have, to be refused by name."""

from __future__ import annotations

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
