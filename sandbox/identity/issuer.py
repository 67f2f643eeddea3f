"""GitHub's token issuer, with keys of its own: discovery, JWKS, and tokens made to order.

The claims are those of GitHub's OIDC reference: a token lives five minutes and is valid from ten
minutes before it was made. `iss` is GitHub's, so that trust policies read as on AWS; where it is
found instead is `/_oidc/` on the gateway's port.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from sandbox import clock
from sandbox.estate.policies import (
    AUDIENCE,
    GITHUB_REPOSITORY,
    IMMUTABLE_REPOSITORY,
    OIDC_HOST,
    OWNER_ID,
    REPOSITORY_ID,
)
from sandbox.identity import jwt
from sandbox.state import State

ISSUER = f"https://{OIDC_HOST}"
LIFETIME, BEFORE = 300, 600
_KIND = "oidc"
KEY, STRANGER = "key", "stranger"
_ASKS = frozenset(
    {"audience", "environment", "ref", "event_name", "subject", "expires_in", "wrong_key", "claims"}
)


class Issuer:
    """Signs tokens, once `prepare` has returned."""

    def __init__(self, state: State, url: str) -> None:
        self._state = state
        self._url = url
        self._keys: dict[str, rsa.RSAPrivateKey] = {}
        self._preparing = asyncio.Lock()

    async def prepare(self) -> None:
        """Have the issuer's own key and a stranger's, the same after every restart.

        Making them takes tenths of a second in a thread, the first time only.
        """
        async with self._preparing:
            for name in (KEY, STRANGER):
                known = self._state.get(_KIND, name)
                if known is None:
                    pem = await asyncio.to_thread(jwt.new_key)
                    known = {"pem": pem, "kid": uuid.uuid4().hex.upper()}
                    self._state.put(_KIND, name, known)
                if name not in self._keys:
                    self._keys[name] = await asyncio.to_thread(jwt.loaded, known["pem"])

    @property
    def key(self) -> rsa.RSAPrivateKey:
        """The issuer's own private key."""
        return self._keys[KEY]

    @property
    def kid(self) -> str:
        """The id of the issuer's own key."""
        found: str = self._state.get(_KIND, KEY)["kid"]
        return found

    def jwks(self) -> dict[str, Any]:
        """The keys tokens are verified with."""
        return {"keys": [jwt.jwk(self.key, self.kid)]}

    def configuration(self) -> dict[str, Any]:
        """OpenID Connect discovery."""
        return {
            "issuer": ISSUER,
            "jwks_uri": f"{self._url}/_oidc/.well-known/jwks",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": sorted(claims({})),
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }

    def mint(self, order: Mapping[str, Any]) -> str:
        """A token; see `claims` for the order. `wrong_key` signs with a stranger's key.

        Raises ValueError for an order it does not understand.
        """
        key = self._keys[STRANGER if order.get("wrong_key") else KEY]
        return jwt.signed(claims(order), key, self.kid)


def claims(order: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a job's token.

    `order` may name audience, environment, ref, event_name, subject ("name" for
    `repo:O/R:…`, "immutable" for `repo:O@oid/R@rid:…`), expires_in (seconds, negative for a token
    that has expired) and claims that replace or, when null, remove others. Raises ValueError.
    """
    if unknown := order.keys() - _ASKS:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    now = int(clock.time())
    ref = str(order.get("ref", "refs/heads/main"))
    event = str(order.get("event_name", "push"))
    environment = order.get("environment")
    made = {
        "iss": ISSUER,
        "aud": order.get("audience", AUDIENCE),
        "sub": f"{_repository(order)}:{_place(environment, event, ref)}",
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now - BEFORE,
        "exp": now + int(order.get("expires_in", LIFETIME)),
        **_job(ref, event),
    }
    made |= {"environment": environment} if environment else {}
    made |= dict(order.get("claims", {}))
    return {name: value for name, value in made.items() if value is not None}


def _repository(order: Mapping[str, Any]) -> str:
    subject = order.get("subject", "name")
    if subject not in ("name", "immutable"):
        raise ValueError("subject must be name or immutable")
    return f"repo:{GITHUB_REPOSITORY if subject == 'name' else IMMUTABLE_REPOSITORY}"


def _place(environment: object, event: str, ref: str) -> str:
    """The last part of `sub`: an environment replaces the ref."""
    if environment:
        return f"environment:{environment}"
    return "pull_request" if event == "pull_request" else f"ref:{ref}"


def _job(ref: str, event: str) -> dict[str, str]:
    workflow = f"{GITHUB_REPOSITORY}/.github/workflows/deploy.yml@{ref}"
    sha = "5f0c1e8d7b2a4936c8e1f7a2b9d3c4e5f6a70812"
    return {
        "actor": "dana",
        "actor_id": "73112",
        "base_ref": "",
        "check_run_id": "51007300121",
        "event_name": event,
        "head_ref": "",
        "job_workflow_ref": workflow,
        "job_workflow_sha": sha,
        "ref": ref,
        "ref_protected": "true",
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "repository": GITHUB_REPOSITORY,
        "repository_id": REPOSITORY_ID,
        "repository_owner": GITHUB_REPOSITORY.partition("/")[0],
        "repository_owner_id": OWNER_ID,
        "repository_visibility": "private",
        "run_attempt": "1",
        "run_id": "18210044311",
        "run_number": "311",
        "runner_environment": "github-hosted",
        "sha": sha,
        "workflow": "deploy",
        "workflow_ref": workflow,
        "workflow_sha": sha,
    }
