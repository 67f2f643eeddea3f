"""For each operation the sandbox serves in pages, a question that has an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ACCOUNT = "123456789012"
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
ACTIONS = ["s3:GetObject", "s3:PutObject", "ec2:RunInstances"]
# These items tell when an image was last in use, or when they were asked for.
NAMES = {
    "ListFindings": "findingArn",
    "ListCoverage": "resourceId",
    "ListRecommendations": "recommendationId",
    "DescribeImageScanFindings": "findingArn",
}
# Nothing of theirs ever fills a page, so they know no token.
ONE_PAGE = {
    "DescribeReservedCacheNodes",
    "DescribeReservedDBInstances",
    "GetReservationPurchaseRecommendation",
    "GetRightsizingRecommendation",
    "ListCostCategoryDefinitions",
    "ListCoverageStatistics",
    "ListEfficiencyMetrics",
    "ListEnrollmentStatuses",
}


def question(account, service, operation):
    """The parameters to ask `operation` with."""
    asked = _PARAMETERS.get((service, operation), _OF_SERVICE.get(service, {}))
    return asked(account) if callable(asked) else asked


def _months():
    """The first days of the last two whole months and of this one."""
    this = datetime.now(UTC).date().replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    return str((last - timedelta(days=1)).replace(day=1)), str(last), str(this)


def _comparison(_):
    before, last, this = _months()
    return {
        "BaselineTimePeriod": {"Start": before, "End": last},
        "ComparisonTimePeriod": {"Start": last, "End": this},
        "MetricForComparison": "UnblendedCost",
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
    }


def _days(start, end):
    now = datetime.now(UTC).date()
    return lambda _: {start: str(now - timedelta(days=80)), end: str(now)}


def _metric_data(account):
    found = account.client("cloudwatch").list_metrics(
        Namespace="AWS/ApplicationELB", MetricName="RequestCount"
    )
    stat = {"Metric": found["Metrics"][0], "Stat": "Sum", "Period": 300}
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return {
        "MetricDataQueries": [{"Id": name, "MetricStat": stat} for name in ("one", "two")],
        "StartTime": now - timedelta(hours=3),
        "EndTime": now - timedelta(hours=2),
    }


def _notification(account):
    budgets = account.client("budgets")
    named = {"AccountId": ACCOUNT, "BudgetName": "news-monthly"}
    found = budgets.describe_notifications_for_budget(**named)["Notifications"]
    return named | {"Notification": found[0]}


def _query(account):
    now = int(datetime.now(UTC).timestamp())
    started = account.client("logs").start_query(
        logGroupName="/ecs/news-api",
        startTime=now - 60,
        endTime=now,
        queryString="fields @message",
    )
    return {"queryId": started["queryId"]}


def _events(_):
    end = int(datetime.now(UTC).timestamp() * 1000) - 10_000
    return {"logGroupName": "/ecs/news-ingest", "startTime": end - 3_600_000, "endTime": end}


def _role(account):
    arn = account.client("iam").list_roles()["Roles"][0]["Arn"]
    return {"PolicySourceArn": arn, "ActionNames": ACTIONS}


_OF_SERVICE = {
    "budgets": {"AccountId": ACCOUNT},
    "application-autoscaling": {"ServiceNamespace": "ecs"},
}
_BUDGET = {"AccountId": ACCOUNT, "BudgetName": "news-monthly"}
_PARAMETERS = {
    ("budgets", "DescribeBudgetPerformanceHistory"): _BUDGET,
    ("budgets", "DescribeNotificationsForBudget"): _BUDGET,
    ("budgets", "DescribeSubscribersForNotification"): _notification,
    ("ce", "GetAnomalies"): lambda account: {
        "DateInterval": _days("StartDate", "EndDate")(account)
    },
    ("ce", "GetCostAndUsageComparisons"): _comparison,
    ("ce", "GetCostComparisonDrivers"): _comparison,
    ("ce", "GetReservationPurchaseRecommendation"): {
        "Service": "Amazon Relational Database Service"
    },
    ("ce", "GetRightsizingRecommendation"): {"Service": "AmazonEC2"},
    ("cloudwatch", "GetMetricData"): _metric_data,
    ("cost-optimization-hub", "ListEfficiencyMetrics"): lambda account: {
        "granularity": "Daily",
        "timePeriod": _days("start", "end")(account),
    },
    ("cost-optimization-hub", "ListRecommendationSummaries"): {"groupBy": "ResourceType"},
    ("ecr", "DescribeImageScanFindings"): {
        "repositoryName": "news-api",
        "imageId": {"imageTag": "1.4.0"},
    },
    ("ecr", "DescribeImages"): {"repositoryName": "news-api"},
    ("ecs", "ListServices"): {"cluster": "production"},
    ("ecs", "ListTasks"): {"cluster": "production"},
    ("iam", "SimulateCustomPolicy"): {"PolicyInputList": [POLICY], "ActionNames": ACTIONS},
    ("iam", "SimulatePrincipalPolicy"): _role,
    ("inspector2", "ListFindingAggregations"): {"aggregationType": "PACKAGE"},
    ("logs", "DescribeLogStreams"): {"logGroupName": "/ecs/news-api"},
    ("logs", "FilterLogEvents"): _events,
    ("logs", "ListLogGroupsForQuery"): _query,
    ("rds", "DescribeDBParameters"): {"DBParameterGroupName": "news-postgres16"},
}
