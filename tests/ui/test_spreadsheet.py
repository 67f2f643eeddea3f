from __future__ import annotations

import csv
import io

import pytest

from ui.spreadsheet import csv_response, guarded


@pytest.mark.parametrize(
    "cell", ["=HYPERLINK(1)", "+cmd", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1"]
)
def test_text_that_looks_like_a_formula_is_disarmed(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


@pytest.mark.parametrize(("cell", "text"), [(-3, "-3"), (None, ""), ("news", "news")])
def test_numbers_and_plain_text_stay_as_they_are(cell: object, text: str) -> None:
    assert guarded(cell) == text


def test_a_file_survives_commas_quotes_and_line_breaks() -> None:
    rows = [('a "b", c', "two\nlines")]

    answer = csv_response("rows", ("one", "two"), rows)

    text = b"".join(answer).decode()
    assert list(csv.reader(io.StringIO(text))) == [["one", "two"], list(rows[0])]
    assert answer["Content-Disposition"] == 'attachment; filename="rows.csv"'
