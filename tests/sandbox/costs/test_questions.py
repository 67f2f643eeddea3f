"""Questions to Cost Explorer: pages, tokens, and what makes no sense."""

from __future__ import annotations

import pytest

from sandbox.costexplorer.service import ROWS_PER_PAGE
from sandbox.errors import AwsError
from tests.sandbox.costs.books import Books, by, dimension, results


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    books = Books(tmp_path_factory.mktemp("questions"))
    yield books
    books.close()


def ask(explorer, *arguments, **parameters):
    return explorer.pages(*arguments, **parameters)


def refusal(explorer, *arguments, **parameters):
    with pytest.raises(AwsError) as refused:
        ask(explorer, *arguments, **parameters)
    return refused.value.code


def test_many_groups_come_in_pages_that_repeat_their_period(explorer):
    groups = [by("DIMENSION", "SERVICE"), by("DIMENSION", "USAGE_TYPE")]

    pages = ask(explorer, "2026-10-01", "2026-11-01", GroupBy=groups)

    rows = [sum(len(result["Groups"]) for result in page["ResultsByTime"]) for page in pages]
    assert len(pages) > 1
    assert rows[:-1] == [ROWS_PER_PAGE] * (len(pages) - 1)
    last, first = pages[0]["ResultsByTime"][-1], pages[1]["ResultsByTime"][0]
    assert last["TimePeriod"] == first["TimePeriod"]
    assert not {tuple(g["Keys"]) for g in last["Groups"]} & {
        tuple(g["Keys"]) for g in first["Groups"]
    }


def test_a_page_token_fits_its_own_request_only(explorer):
    groups = [by("DIMENSION", "SERVICE"), by("DIMENSION", "USAGE_TYPE")]
    token = ask(explorer, "2026-10-01", "2026-11-01", GroupBy=groups)[0]["NextPageToken"]

    changed = refusal(explorer, "2026-10-02", "2026-11-01", GroupBy=groups, NextPageToken=token)
    wrong = refusal(
        explorer, "2026-10-01", "2026-11-01", GroupBy=groups, NextPageToken="not a token"
    )

    assert (changed, wrong) == ("RequestChangedException", "InvalidNextTokenException")


@pytest.mark.parametrize(
    "parameters",
    [
        {"Filter": {}},
        {"Filter": {**dimension("SERVICE", "Tax"), "Not": dimension("SERVICE", "Tax")}},
        {"Filter": dimension("SERVICE")},
        {"Filter": dimension("PLANET", "Earth")},
        {"Filter": {"And": [dimension("SERVICE", "Tax")]}},
        {"Filter": {"CostCategories": {"Key": "Team"}}},
        {"Filter": dimension("RESOURCE_ID", "i-1")},
        {
            "Filter": {
                "Dimensions": {"Key": "SERVICE", "Values": ["T"], "MatchOptions": ["CONTAINS"]}
            }
        },
        {"GroupBy": [by("DIMENSION", "SERVICE"), by("TAG", "a"), by("TAG", "b")]},
        {"GroupBy": [by("DIMENSION", "PLANET")]},
        {"GroupBy": [by("PLANET", "Earth")]},
        {"GroupBy": [by("TAG", "")]},
        {"metrics": ["Cost"]},
        {"metrics": []},
        {"granularity": "HOURLY"},
    ],
)
def test_questions_that_make_no_sense_are_refused(explorer, parameters):
    code = refusal(explorer, "2026-09-10", "2026-09-11", **parameters)

    assert code == "ValidationException"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-09-11", "2026-09-11"),
        ("2026-09-12", "2026-09-11"),
        ("2025-08-31", "2026-09-11"),
        ("2026-11-01", "2026-12-02"),
        ("2026-9-1", "2026-09-11"),
        ("2026-W36-2", "2026-09-11"),
        ("2026-02-30", "2026-09-11"),
    ],
)
def test_periods_that_make_no_sense_are_refused(explorer, start, end):
    assert refusal(explorer, start, end) == "ValidationException"


def test_the_end_is_exclusive(explorer):
    pages = ask(explorer, "2026-09-10", "2026-09-12")

    periods = [result["TimePeriod"] for result in results(pages)]
    assert periods == [
        {"Start": "2026-09-10", "End": "2026-09-11"},
        {"Start": "2026-09-11", "End": "2026-09-12"},
    ]
