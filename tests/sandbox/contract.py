"""A call's answer against botocore's model of it."""

from __future__ import annotations

from datetime import datetime

import botocore.session
from botocore import xform_name

MODELS = botocore.session.get_session()
# ECS documents this stage and takes hooks for it, but its model forgot it in the answer's enum.
NOT_IN_THE_MODEL = "PRE_PRODUCTION_TRAFFIC_SHIFT"


def checked(client, operation, **parameters):
    """The answer to `operation` (as the model spells it), asserted to have the model's shape."""
    answer = getattr(client, xform_name(operation))(**parameters)
    answer.pop("ResponseMetadata")
    service = client.meta.service_model.service_name
    shape = MODELS.get_service_model(service).operation_model(operation).output_shape
    assert shape is None or deviations(answer, shape, operation, raw=False) == []
    return answer


def deviations(value, shape, path, *, raw):
    """Everywhere a value is not of its shape; `raw` values are as they came over the wire."""
    kinds = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "boolean": bool,
        "integer": int,
        "long": int,
        "float": (int, float),
        "double": (int, float),
        "timestamp": (int, float) if raw else datetime,
        "blob": (str, bytes),
    }
    if not isinstance(value, kinds[shape.type_name]) or (
        isinstance(value, bool) and shape.type_name != "boolean"
    ):
        return [f"{path}: {value!r} is no {shape.type_name}"]
    return list(_inner(value, shape, path, raw=raw))


def _inner(value, shape, path, *, raw):
    children = []
    if shape.type_name == "structure":
        unknown = value.keys() - shape.members.keys()
        yield from (f"{path}.{key} is unknown" for key in unknown)
        children = [(value[key], shape.members[key], key) for key in value.keys() - unknown]
    elif shape.type_name == "list":
        children = [(inner, shape.member, number) for number, inner in enumerate(value)]
    elif shape.type_name == "map":
        children = [(inner, shape.value, key) for key, inner in value.items()]
    elif shape.type_name == "string" and not _in_enum(value, shape.enum):
        yield f"{path}: {value!r} is none of {shape.enum}"
    for inner, inner_shape, name in children:
        yield from deviations(inner, inner_shape, f"{path}.{name}", raw=raw)


def _in_enum(value, words):
    return not words or value in words or value == NOT_IN_THE_MODEL
