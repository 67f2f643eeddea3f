"""SEARCH: which metrics a search expression finds.

By "CloudWatch search expression syntax": a schema in braces is exact, terms in double quotes are
exact, other terms match one token, or consecutive tokens, of a name or a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from sandbox.cloudwatch.metric_math.values import WrongExpression
from sandbox.cloudwatch.metrics import Metric

MAX_LENGTH = 1024
MAX_SERIES = 500
Test = Callable[[Metric], bool]

_PARTS = re.compile(r'\s*(?:(?P<sign>[()])|(?P<term>(?:"(?:\\.|[^"\\])*"|[^\s()"])+))')
_SCHEMA = re.compile(r'\s*\{((?:"[^"]*"|[^}"])*)\}\s*,?')
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_DESIGNATED = re.compile(r'(?P<name>"(?:\\.|[^"\\])*"|[^="]+)=(?P<value>.+)', re.DOTALL)


def found(metrics: Sequence[Metric], text: str) -> list[Metric]:
    """The metrics that a search expression's first argument selects, at most 500 in order.

    Raises WrongExpression for a text that is too long, empty, or no search.
    """
    if len(text) > MAX_LENGTH:
        raise WrongExpression(f"A search expression has at most {MAX_LENGTH} characters")
    schema = _SCHEMA.match(text)
    tests = [_of_schema(schema.group(1))] if schema else []
    terms = list(_parts(text[schema.end() :] if schema else text))
    if terms:
        tests.append(_Terms(terms).test())
    if not tests:
        raise WrongExpression("A search expression needs a schema or a term")
    return [one for one in metrics if all(test(one) for test in tests)][:MAX_SERIES]


def _of_schema(inner: str) -> Test:
    namespace, *dimensions = [part.strip().strip('"') for part in inner.split(",")]
    wanted = set(dimensions)

    def test(metric: Metric) -> bool:
        return metric.namespace == namespace and {n for n, _ in metric.dimensions} == wanted

    return test


def _parts(text: str) -> Iterator[str]:
    position, end = 0, len(text.rstrip())
    while position < end:
        part = _PARTS.match(text, position)
        if part is None:
            raise WrongExpression("Invalid search expression")
        yield part.group().strip()
        position = part.end()


class _Terms:
    """Terms with AND (also where nothing stands between), OR, NOT and parentheses."""

    def __init__(self, parts: list[str]) -> None:
        self._parts = parts

    def test(self) -> Test:
        """The whole expression; raises WrongExpression if something is left over."""
        test = self._either()
        if self._parts:
            raise WrongExpression("Invalid search expression")
        return test

    def _either(self) -> Test:
        tests = [self._all()]
        while self._next_is("OR"):
            self._parts.pop(0)
            tests.append(self._all())
        return lambda metric: any(test(metric) for test in tests)

    def _all(self) -> Test:
        tests = [self._one()]
        while self._parts and self._parts[0] not in {"OR", ")"}:
            if self._next_is("AND"):
                self._parts.pop(0)
            tests.append(self._one())
        return lambda metric: all(test(metric) for test in tests)

    def _one(self) -> Test:
        if not self._parts or self._parts[0] in {"AND", "OR", ")"}:
            raise WrongExpression("Invalid search expression")
        part = self._parts.pop(0)
        if part == "NOT":
            test = self._one()
            return lambda metric: not test(metric)
        if part != "(":
            return _term(part)
        inner = self._either()
        if not self._next_is(")"):
            raise WrongExpression("Invalid search expression")
        self._parts.pop(0)
        return inner

    def _next_is(self, word: str) -> bool:
        return bool(self._parts) and self._parts[0] == word


def _term(part: str) -> Test:
    designated = _DESIGNATED.fullmatch(part)
    if not designated:
        matches = _matcher(part)
        return lambda metric: any(matches(word) for word in _words(metric))
    name, value = _plain(designated["name"]), _matcher(designated["value"])
    return lambda metric: any(value(word) for word in _called(metric, name))


def _words(metric: Metric) -> Iterator[str]:
    yield metric.namespace
    yield metric.name
    for name, value in metric.dimensions:
        yield name
        yield value


def _called(metric: Metric, name: str) -> Iterator[str]:
    """What a designator such as `MetricName=` or a dimension's name stands for."""
    if name == "MetricName":
        yield metric.name
    elif name == "Namespace":
        yield metric.namespace
    else:
        yield from (value for dimension, value in metric.dimensions if dimension == name)


def _plain(quoted: str) -> str:
    if quoted.startswith('"'):
        return re.sub(r"\\(.)", r"\1", quoted[1:-1])
    return quoted


def _matcher(term: str) -> Callable[[str], bool]:
    if term.startswith('"'):
        exact = _plain(term)
        return lambda word: word == exact
    wanted = _TOKEN.findall(term)
    if not wanted:
        raise WrongExpression(f"Invalid search term '{term}'")
    return lambda word: _holds(word, wanted)


def _holds(word: str, wanted: list[str]) -> bool:
    """One token matches in any case; several must follow one another as they are written."""
    tokens = _TOKEN.findall(word)
    if len(wanted) == 1:
        single = wanted[0].lower()
        whole = "".join(tokens).lower()
        return single == whole or single in (token.lower() for token in tokens)
    if "".join(tokens) == "".join(wanted):
        return True
    spans = range(len(tokens) - len(wanted) + 1)
    return any(tokens[at : at + len(wanted)] == wanted for at in spans)
