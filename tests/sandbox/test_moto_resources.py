"""What moto's EC2 knows of instance types is there, but not in memory before somebody asks."""

from __future__ import annotations

import boto3
import pytest

from sandbox.moto_adapter import backend
from sandbox.moto_resources import Late, make_lean
from sandbox.names import ACCOUNT, REGION


def test_a_late_mapping_loads_once_and_at_the_first_look():
    loads = []
    late = Late(lambda: loads.append("loaded") or {"t3.micro": 1, "t3.small": 2})
    before = list(loads)

    names = list(late)

    assert before == []
    assert (names, len(late), late["t3.small"], "m5.large" in late) == (
        ["t3.micro", "t3.small"],
        2,
        2,
        False,
    )
    assert loads == ["loaded"]


def test_motos_partitions_and_regions_are_ec2s_whatever_the_service():
    make_lean()
    session = boto3.Session()

    regions = session.get_available_regions("dynamodb")
    chinese = session.get_available_regions("ec2", partition_name="aws-cn")

    assert {"us-east-1", "eu-central-1"} < set(regions)
    assert chinese == ["cn-north-1", "cn-northwest-1"]
    assert {"aws", "aws-cn", "aws-us-gov"} <= set(session.get_available_partitions())


def test_a_family_of_instances_is_known_to_batch():
    make_lean()
    from moto.batch.models import EC2_INSTANCE_FAMILIES, EC2_INSTANCE_TYPES

    known = ["t3" in EC2_INSTANCE_FAMILIES, "t3.micro" in EC2_INSTANCE_TYPES]
    unknown = ["t0" in EC2_INSTANCE_FAMILIES, "t0.micro" in EC2_INSTANCE_TYPES]

    assert (known, unknown) == ([True, True], [False, False])


def test_another_region_offers_nothing_as_this_account_has_one():
    make_lean()
    offered = backend("ec2", ACCOUNT, "eu-west-1").describe_instance_type_offerings()

    assert offered == []
    assert backend("ec2", ACCOUNT, REGION).describe_instance_type_offerings()


def test_instance_types_are_described_with_their_offers(account):
    ec2 = account.client("ec2")

    described = ec2.describe_instance_types(InstanceTypes=["t3.micro"])["InstanceTypes"]
    offers = ec2.describe_instance_type_offerings(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}],
    )["InstanceTypeOfferings"]

    assert [found["MemoryInfo"]["SizeInMiB"] for found in described] == [1024]
    assert {offer["Location"] for offer in offers} > {"us-east-1a", "us-east-1b"}


def test_an_unknown_instance_type_is_refused(account):
    ec2 = account.client("ec2")

    with pytest.raises(ec2.exceptions.ClientError) as refusal:
        ec2.describe_instance_types(InstanceTypes=["t0.micro"])

    assert refusal.value.response["Error"]["Code"] == "InvalidInstanceType"
