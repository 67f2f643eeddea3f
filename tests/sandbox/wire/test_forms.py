"""Forms are read in one pass, and what is not of its type is not taken for something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.utils import get_service_model
from werkzeug.datastructures import MultiDict

from sandbox.moto_forms import Ec2FormParser, FormParser, beginnings

DATUM = {
    "MetricName": "m",
    "Unit": "Count",
    "Dimensions.member.1.Name": "a",
    "Dimensions.member.1.Value": "b",
    "Values.member.1": "1.5",
    "Values.member.2": "2",
}


class Name(str):
    """A name of a form that knows how often somebody compared it with a beginning."""

    compared = 0

    def startswith(self, *beginning):
        Name.compared += 1
        return super().startswith(*beginning)


def read(parser, service, operation, form):
    model = get_service_model(service).operation_model(operation)
    return parser(model).parse({"values": MultiDict(form)})


def published(size):
    names = [(f"MetricData.member.{n}.", DATUM) for n in range(1, size + 1)]
    return {"Namespace": "N"} | {p + name: v for p, datum in names for name, v in datum.items()}


def test_a_name_begins_with_what_it_is_a_part_of():
    assert beginnings(["a.b.1", "c"]) == {"a", "a.b", "a.b.1", "c"}


@pytest.mark.parametrize("size", [1, 11])
def test_a_list_of_structures_is_read_as_moto_reads_it(size):
    form = published(size)

    ours = read(FormParser, "cloudwatch", "PutMetricData", form)

    assert ours == read(PROTOCOL_PARSERS["query"], "cloudwatch", "PutMetricData", form)
    assert len(ours["MetricData"]) == size


@given(st.dictionaries(st.sampled_from(list(published(3))), st.just("1"), min_size=1))
def test_any_part_of_a_form_is_read_as_moto_reads_it(form):
    ours = read(FormParser, "cloudwatch", "PutMetricData", form)

    assert ours == read(PROTOCOL_PARSERS["query"], "cloudwatch", "PutMetricData", form)


def test_ec2_writes_lists_in_its_own_way():
    form = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": "vpc-1", "Filter.1.Value.2": "vpc-2"}

    ours = read(Ec2FormParser, "ec2", "DescribeSubnets", form)

    assert ours == {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1", "vpc-2"]}]}


def test_no_structure_has_all_names_compared():
    form = {Name(name): value for name, value in published(50).items()}

    found = read(FormParser, "cloudwatch", "PutMetricData", form)

    assert len(found["MetricData"]) == 50
    assert Name.compared == 0


@pytest.mark.parametrize(("text", "value"), [("true", True), ("False", False), ("TRUE", True)])
def test_a_boolean_is_true_or_false(text, value):
    form = {"PolicyArn": "arn", "OnlyAttached": text}

    assert read(FormParser, "iam", "ListPolicies", form)["OnlyAttached"] is value


@pytest.mark.parametrize("text", ["maybe", "yes", ""])
def test_what_is_no_boolean_is_not_taken_for_false(text):
    with pytest.raises(KeyError):
        read(FormParser, "iam", "ListPolicies", {"OnlyAttached": text})
