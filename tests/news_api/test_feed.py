from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from news_api.sources import feed
from news_api.sources.article import Article, SourceFailed
from tests.news_api.feeds import item, rss

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Atomic</title>
  <entry><title type="html">Tides &amp;amp; moons</title><link href="/tides"/>
    <updated>2026-11-21T08:30:00+02:00</updated>
    <summary type="html">&lt;em&gt;High&lt;/em&gt; water</summary></entry>
</feed>"""

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><rss version='2.0'><channel><item><title>&a9;</title>"
    + "<link>https://wire.example/laughs</link></item></channel></rss>"
)


def read(document: str | bytes) -> list[Article]:
    body = document.encode() if isinstance(document, str) else document
    return feed.parse(
        body,
        url="https://wire.example/feed.xml",
        content_type="application/xml",
        language="en",
        at=NOW,
    )


def test_an_rss_item_becomes_an_article() -> None:
    summary = "&lt;p&gt;The &lt;b&gt;boat&lt;/b&gt; sails&lt;/p&gt;"

    (article,) = read(rss(item("Harbour", "https://wire.example/h?utm_source=rss", summary)))

    assert article == Article(
        url="https://wire.example/h",
        title="Harbour",
        summary="The boat sails",
        published_at=datetime(2026, 11, 21, 10, tzinfo=UTC),
        language="en",
    )


def test_an_atom_entry_becomes_an_article_with_an_absolute_link() -> None:
    (article,) = read(ATOM)

    assert article.url == "https://wire.example/tides"
    assert article.title == "Tides & moons"
    assert article.summary == "High water"
    assert article.published_at == datetime(2026, 11, 21, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "published", ["", "yesterday", "Sat, 01 Jan 2099 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT"]
)
def test_a_date_that_cannot_be_right_becomes_the_time_we_saw_it(published: str) -> None:
    (article,) = read(rss(item("Odd", "https://wire.example/odd", published=published)))

    assert article.published_at == NOW


@pytest.mark.parametrize("link", ["javascript:alert(1)", "ftp://wire.example/x", ""])
def test_an_item_without_a_web_link_is_left_out(link: str) -> None:
    articles = read(rss(item("Bad", link), item("Good", "https://wire.example/good")))

    assert [article.title for article in articles] == ["Good"]


def test_an_item_without_a_title_is_left_out() -> None:
    assert read(rss(item("<![CDATA[<b></b>]]>", "https://wire.example/a"))) == []


def test_only_the_first_two_hundred_entries_are_taken() -> None:
    items = [item(f"No {n}", f"https://wire.example/{n}") for n in range(300)]

    assert len(read(rss(*items))) == feed.MAX_ENTRIES


def test_an_entity_bomb_stays_small() -> None:
    articles = read(LAUGHS)

    assert all(len(article.title) <= 300 for article in articles)


def test_a_damaged_feed_gives_the_entries_before_the_damage() -> None:
    whole = rss(item("First", "https://wire.example/1"), item("Second", "https://wire.example/2"))

    articles = read(whole[: whole.index("Second")])

    assert articles[0].title == "First"


@pytest.mark.parametrize("body", [b"", b"<html><body>Down</body></html>", b"\x00\xff\xfe" * 50])
def test_what_is_not_a_feed_is_refused(body: bytes) -> None:
    with pytest.raises(SourceFailed, match="did not send a feed"):
        read(body)


def test_a_body_that_names_a_file_does_not_open_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(rss(item("Secret", "https://wire.example/secret")))

    with pytest.raises(SourceFailed):
        read(str(secret))


def test_an_entity_that_names_a_file_does_not_open_it(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    entity = f'<!DOCTYPE rss [<!ENTITY file SYSTEM "{secret.as_uri()}">]>'
    document = rss(item("Look: &file;", "https://wire.example/1", "&file;"))

    articles = read(document.replace("<rss", entity + "<rss", 1))

    assert "the secret" not in str(articles)


def test_a_feed_without_entries_is_a_feed() -> None:
    assert read(rss()) == []
