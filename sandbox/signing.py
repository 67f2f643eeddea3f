"""Which service a request is for: whom its signature names, and what signature that is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qs

from sandbox.errors import AwsError

_SIGNATURE = re.compile(
    r"^AWS4-HMAC-SHA256 +Credential=([^/,\s]+)/(\d{8})/([a-z0-9-]+)/([A-Za-z0-9-]+)/aws4_request,"
    r" *SignedHeaders=[^,\s]+, *Signature=[0-9a-f]{64}$"
)
# botocore's names, where a signing name is not the one name of a service that answers. The first
# whose model fits the request is meant.
_SERVICES = {
    "aidevops": ("devops-agent",),
    "access-analyzer": ("accessanalyzer",),
    "aoss": ("opensearchserverless",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "aps": ("amp",),
    "aws-marketplace": ("meteringmarketplace",),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore", "bedrock-agentcore-control"),
    "cloudhsm": ("cloudhsmv2",),
    "connect-campaigns": ("connectcampaigns",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elbv2", "elb"),
    "elasticmapreduce": ("emr",),
    "es": ("es", "opensearch"),
    "execute-api": ("apigatewaymanagementapi",),
    "iotdata": ("iot-data",),
    "kinesisanalytics": ("kinesisanalyticsv2",),
    "kinesisvideo": ("kinesisvideo", "kinesis-video-archived-media"),
    "lex": ("lexv2-models",),
    "mediastore": ("mediastore", "mediastore-data"),
    "mobiletargeting": ("pinpoint",),
    "monitoring": ("cloudwatch",),
    "s3": ("s3control", "s3"),
    "sagemaker": ("sagemaker", "sagemaker-metrics", "sagemaker-runtime"),
    "servicecatalog": ("servicecatalog", "servicecatalog-appregistry"),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "sso": ("sso-admin",),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
    "timestream": ("timestream-query", "timestream-write"),
}


@dataclass(frozen=True)
class Scope:
    """A signature's credential scope."""

    access_key: str
    region: str
    signing_name: str

    @property
    def services(self) -> tuple[str, ...]:
        """botocore's names of the services that sign so."""
        return _SERVICES.get(self.signing_name, (self.signing_name,))


def scope(authorization: str) -> Scope:
    """The scope of an Authorization header.

    Nobody checks the signature itself: any key is good. Raises AwsError MissingAuthenticationToken
    or IncompleteSignature.
    """
    if not authorization:
        message = "Request is missing Authentication Token"
        raise AwsError("MissingAuthenticationToken", message, 403)
    found = _SIGNATURE.match(authorization)
    if not found:
        message = "The request signature does not conform to AWS standards."
        raise AwsError("IncompleteSignature", message, 400)
    return Scope(found.group(1), found.group(3), found.group(4))


def presigned(query: str) -> str:
    """A presigned URL's signature as an Authorization header has it; empty without one."""
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    if "X-Amz-Credential" not in fields:
        return ""
    credential, signed = fields["X-Amz-Credential"], fields.get("X-Amz-SignedHeaders", "")
    signature = fields.get("X-Amz-Signature", "")
    algorithm = fields.get("X-Amz-Algorithm", "")
    return f"{algorithm} Credential={credential}, SignedHeaders={signed}, Signature={signature}"
