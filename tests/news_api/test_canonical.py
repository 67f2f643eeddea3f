from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from news_api.canonical import BadUrl, canonical_url


@pytest.mark.parametrize(
    ("given_url", "expected"),
    [
        ("HTTP://News.Example:80", "http://news.example/"),
        ("https://news.example:443/a#part", "https://news.example/a"),
        ("https://news.example:8443/a", "https://news.example:8443/a"),
        ("https://news.example/a?b=2&a=1", "https://news.example/a?a=1&b=2"),
        ("https://news.example/a?utm_source=x&UTM_Medium=y&id=7", "https://news.example/a?id=7"),
        ("https://news.example/a?fbclid=x", "https://news.example/a"),
        ("https://news.example./a", "https://news.example/a"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://news.example/100%", "https://news.example/100%25"),
        ("https://[2001:DB8::1]/a", "https://[2001:db8::1]/a"),
        ("  https://news.example/a \n", "https://news.example/a"),
    ],
)
def test_spellings_of_one_address_become_one_url(given_url: str, expected: str) -> None:
    assert canonical_url(given_url) == expected


@pytest.mark.parametrize(
    "hostile",
    [
        "javascript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//news.example/a",
        "news.example/a",
        "https://",
        "https://user:secret@news.example/",
        "https://trusted.example@evil.example/",
        "https://news.example:99999/",
        "https://news.example:x/",
        "https://news .example/",
        "https://news.example/a\r\nSet-Cookie: a=b",
        "https://evil.example\\@trusted.example/",
        "https://<b>.example/",
        "https://[::1/",
        "https://news.example/" + "a" * 2000,
        "https://news.example/" + "ü" * 900,
        "",
    ],
)
def test_what_no_reader_should_follow_is_refused(hostile: str) -> None:
    with pytest.raises(BadUrl):
        canonical_url(hostile)


@given(
    st.builds(
        "{}://{}{}?{}".format,
        st.sampled_from(["http", "HTTPS"]),
        st.sampled_from(["a.example", "B.Example:8080", "ü.example"]),
        st.text(max_size=20).map(lambda text: "/" + text),
        st.text(max_size=20),
    )
)
def test_a_canonical_url_is_its_own_canonical_form(url: str) -> None:
    try:
        once = canonical_url(url)
    except BadUrl:
        return

    assert canonical_url(once) == once
    assert once.isascii()


@given(st.text())
def test_any_text_gives_a_web_url_or_is_refused(text: str) -> None:
    try:
        url = canonical_url(text)
    except BadUrl:
        return

    assert url.startswith(("http://", "https://"))
