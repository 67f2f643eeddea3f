"""What the News API stores: sources, articles and API keys."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models.functions import Now

SEARCH_CONFIG = "english"


class Source(models.Model):
    """Where articles come from, and how fetching went lately. Rows follow NEWS_SOURCES."""

    name = models.SlugField(max_length=63, unique=True)
    kind = models.CharField(max_length=16)
    url = models.CharField(max_length=2000)
    language = models.CharField(max_length=16)
    enabled = models.BooleanField(default=True)
    etag = models.CharField(max_length=512, blank=True)
    last_modified = models.CharField(max_length=128, blank=True)
    last_attempt_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=300, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())

    objects: ClassVar[models.Manager[Source]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class Article(models.Model):
    """One article, known by its canonical URL. ``published_at`` never changes once stored."""

    url = models.CharField(max_length=2000)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, db_index=False)
    title = models.CharField(max_length=300)
    summary = models.CharField(max_length=2000, blank=True)
    language = models.CharField(max_length=16)
    published_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())
    search = models.GeneratedField(
        expression=SearchVector("title", weight="A", config=SEARCH_CONFIG)
        + SearchVector("summary", weight="B", config=SEARCH_CONFIG),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects: ClassVar[models.Manager[Article]] = models.Manager()

    class Meta:
        constraints = [
            # Not unique=True, which would add a second, pattern index on these long texts.
            models.UniqueConstraint(fields=["url"], name="article_url_once"),
        ]
        indexes = [
            models.Index(fields=["-published_at", "-id"], name="article_newest"),
            models.Index(
                fields=["source", "-published_at", "-id"], name="article_newest_of_source"
            ),
            GinIndex(fields=["search"], name="article_search"),
        ]

    def __str__(self) -> str:
        return self.title


class ApiKey(models.Model):
    """A caller's key. Only the prefix and a SHA-256 of the whole key are kept."""

    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=100)
    per_minute = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager[ApiKey]] = models.Manager()

    def __str__(self) -> str:
        return f"{self.prefix} ({self.name})"
