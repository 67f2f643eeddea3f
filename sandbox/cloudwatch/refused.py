"""CloudWatch operations that the sandbox does not have, to be refused by name."""

from __future__ import annotations

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
