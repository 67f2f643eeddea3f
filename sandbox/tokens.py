"""Page tokens that only fit the request they were given out for, and tell nothing.

They outlive a restart, as AWS's outlive a server, so nothing in them is of this process.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

# `service.Operation` that is being answered: the token of another fits nothing here, even when
# both were asked the same.
answering: ContextVar[str] = ContextVar("answering", default="")

# Not a secret: it only makes a token that somebody altered a wrong one.
_SEAL = b"sandbox page token"
_BYTES = 12


class WrongToken(ValueError):
    """The token is not ours."""


class OtherRequest(WrongToken):
    """The token was given out for a request with other parameters."""


def write(position: list[int], parameters: Mapping[str, Any]) -> str:
    """A token for a position in the answer to a request with these parameters."""
    request = _digest(_canonical(parameters))
    text = json.dumps(position, separators=(",", ":")).encode()
    hidden = _veiled(text, request)
    return base64.urlsafe_b64encode(_digest(request + text) + request + hidden).decode()


def read(token: str, parameters: Mapping[str, Any]) -> list[int]:
    """The position a token stands for; raises WrongToken or OtherRequest."""
    try:
        data = base64.b64decode(token.encode(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongToken(token) from error
    seal, request, hidden = data[:_BYTES], data[_BYTES : 2 * _BYTES], data[2 * _BYTES :]
    text = _veiled(hidden, request)
    if not hmac.compare_digest(seal, _digest(request + text)):
        raise WrongToken(token)
    if request != _digest(_canonical(parameters)):
        raise OtherRequest(token)
    position: list[int] = json.loads(text)
    return position


def _canonical(parameters: Mapping[str, Any]) -> bytes:
    asked = [answering.get(), parameters]
    return json.dumps(asked, sort_keys=True, default=str).encode()


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_BYTES, key=_SEAL).digest()


def _veiled(text: bytes, request: bytes) -> bytes:
    """`text` with a stream of bytes laid over it; doing it again takes the veil off."""
    stream = hashlib.shake_128(_SEAL + request).digest(len(text))
    return bytes(one ^ other for one, other in zip(text, stream, strict=True))
