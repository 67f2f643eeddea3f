"""Signed tokens (RFC 7515, RFC 7519) with RS256 and nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

KEY_BITS = 2048


class NotAToken(ValueError):
    """The text is no signed token."""


class WrongSignature(ValueError):
    """The token was not signed with this key."""


def new_key() -> str:
    """A fresh private key as PEM text; takes a tenth of a second."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def loaded(pem: str) -> rsa.RSAPrivateKey:
    """The private key of a PEM text."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("the key is not RSA")
    return key


def jwk(key: rsa.RSAPrivateKey, kid: str) -> dict[str, str]:
    """The public half as an entry of a JWKS."""
    numbers = key.public_key().public_numbers()
    return {
        "kty": "RSA",
        "alg": "RS256",
        "use": "sig",
        "kid": kid,
        "n": _encode(numbers.n.to_bytes(KEY_BITS // 8, "big")),
        "e": _encode(numbers.e.to_bytes(3, "big")),
    }


def signed(claims: Mapping[str, Any], key: rsa.RSAPrivateKey, kid: str) -> str:
    """The compact form of a token."""
    header = {"typ": "JWT", "alg": "RS256", "kid": kid}
    text = ".".join(_encode(json.dumps(part).encode()) for part in (header, claims))
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{_encode(signature)}"


def opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not verified; raises NotAToken."""
    parts = token.split(".")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
    except ValueError as error:
        raise NotAToken(token) from error
    if len(parts) != 3 or not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotAToken(token)
    return header, claims


def verify(token: str, key: rsa.RSAPrivateKey) -> None:
    """Raises WrongSignature unless the token was signed with `key` by RS256."""
    text, _, signature = token.rpartition(".")
    try:
        key.public_key().verify(
            _decode(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256()
        )
    except (InvalidSignature, ValueError) as error:
        raise WrongSignature(token) from error


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
