"""Operations on saved queries."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.logs.errors import at_most, invalid, missing
from sandbox.logs.groups import find, milliseconds
from sandbox.logs.pages import page
from sandbox.logs.store import Store
from sandbox.state import State

Answer = dict[str, Any]

MAX_DEFINITIONS = 1000
MAX_PARAMETERS = 20
_KIND = "logs-query-definition"


class QueryDefinitions:
    """Saved queries with their `{{parameters}}`."""

    def __init__(self, store: Store, state: State) -> None:
        self._store = store
        self._state = state

    @simplified("Queries in SQL and PPL are refused.")
    @our_reading("At most 20 parameters; their names must differ.")
    def put_query_definition(
        self,
        name: str,
        queryString: str,
        queryDefinitionId: str | None = None,
        logGroupNames: Sequence[str] = (),
        parameters: Sequence[Mapping[str, str]] = (),
        queryLanguage: str = "CWLI",
        clientToken: str | None = None,
    ) -> Answer:
        """Save a query or replace the one of this id; its text is not compiled."""
        if queryLanguage != "CWLI":
            raise invalid(f"The sandbox does not support the query language {queryLanguage}.")
        _check_parameters(parameters)
        for group in logGroupNames:
            find(self._store, group)
        known = queryDefinitionId or self._answered(clientToken)
        if queryDefinitionId and not self._state.get(_KIND, queryDefinitionId):
            raise missing("query definition")
        if not known and len(list(self._state.all(_KIND))) >= MAX_DEFINITIONS:
            raise AwsError("LimitExceededException", "Resource limit exceeded.")
        definition_id = known or str(uuid.uuid4())
        definition = {
            "queryLanguage": queryLanguage,
            "queryDefinitionId": definition_id,
            "name": name,
            "queryString": queryString,
            "lastModified": milliseconds(),
            "logGroupNames": list(logGroupNames),
            "parameters": [dict(parameter) for parameter in parameters],
        }
        body = {"definition": definition, "token": clientToken}
        self._state.put(_KIND, definition_id, body)
        return {"queryDefinitionId": definition_id}

    def _answered(self, token: str | None) -> str | None:
        """The id that an earlier call with this token was answered with."""
        found = (body for body in self._state.all(_KIND) if token and body["token"] == token)
        return next((str(body["definition"]["queryDefinitionId"]) for body in found), None)

    def describe_query_definitions(
        self,
        queryDefinitionNamePrefix: str = "",
        queryLanguage: str | None = None,
        maxResults: int | None = None,
        nextToken: str | None = None,
    ) -> Answer:
        """Saved queries by name."""
        size = at_most("maxResults", maxResults, 1000, 1000)
        chosen = [
            body["definition"]
            for body in self._state.all(_KIND)
            if body["definition"]["name"].startswith(queryDefinitionNamePrefix)
            and queryLanguage in (None, body["definition"]["queryLanguage"])
        ]
        chosen.sort(key=lambda definition: definition["name"])
        asked = {"of": [queryDefinitionNamePrefix, queryLanguage]}
        shown, more = page(chosen, nextToken, size, asked)
        return {"queryDefinitions": shown, **more}

    def delete_query_definition(self, queryDefinitionId: str) -> Answer:
        """Forget a saved query."""
        if not self._state.get(_KIND, queryDefinitionId):
            raise missing("query definition")
        self._state.delete(_KIND, queryDefinitionId)
        return {"success": True}


def _check_parameters(parameters: Sequence[Mapping[str, str]]) -> None:
    names = [parameter["name"] for parameter in parameters]
    at_most("parameters", len(names), MAX_PARAMETERS, 0)
    if len(set(names)) < len(names):
        raise invalid("The names of parameters must be unique.")
