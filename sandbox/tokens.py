"""Page tokens that only fit the request they were given out for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any


class WrongToken(ValueError):
    """The token is not ours."""


class OtherRequest(WrongToken):
    """The token was given out for a request with other parameters."""


def write(position: list[int], parameters: Mapping[str, Any]) -> str:
    """A token for a position in the answer to a request with these parameters."""
    text = json.dumps([position, _digest(parameters)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def read(token: str, parameters: Mapping[str, Any]) -> list[int]:
    """The position a token stands for; raises WrongToken or OtherRequest."""
    try:
        position, digest = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (binascii.Error, ValueError, TypeError) as error:
        raise WrongToken(token) from error
    if digest != _digest(parameters):
        raise OtherRequest(token)
    return [int(number) for number in position]


def _digest(parameters: Mapping[str, Any]) -> str:
    text = json.dumps(parameters, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
