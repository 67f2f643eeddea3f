from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from news_api.sources.text import plain


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One <b>two</b></p><p>three</p>", "One two three"),
        ("Fish &amp; chips &#8364;5", "Fish & chips €5"),
        ("before<script>alert(1)</script>after", "beforeafter"),
        ("<style>p{}</style>text<!-- gone -->", "text"),
        ("<img src=x onerror=alert(1)>caption", "caption"),
        ("a\x00b\x1bc\n\td", "a b c d"),
        ("pay \u202eevil\u202c now", "pay evil now"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<script>never closed", ""),
    ],
)
def test_a_reader_gets_text_and_nothing_else(markup: str, expected: str) -> None:
    assert plain(markup, 100) == expected


def test_markup_hidden_under_layers_of_escaping_does_not_come_out() -> None:
    layered = "<script>alert(1)</script>".replace("<", "&lt;").replace("&", "&amp;")

    assert plain(layered, 100) == ""


def test_long_text_ends_at_a_word_with_an_ellipsis() -> None:
    shortened = plain("alpha beta gamma delta", 13)

    assert shortened == "alpha beta…"


def test_a_word_without_end_is_cut() -> None:
    assert plain("x" * 500, 100) == "x" * 99 + "…"


@given(st.text(alphabet="<>/&;!-abltgmpscrit=\"' \x00\u202e\ud800", max_size=200))
def test_no_input_leaves_a_tag_a_nul_or_too_much(markup: str) -> None:
    text = plain(markup, 50)

    assert "<script" not in text
    assert "\x00" not in text
    assert len(text) <= 50
    text.encode()
