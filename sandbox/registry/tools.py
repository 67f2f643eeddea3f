"""The images of the second repository, which no service runs."""

from __future__ import annotations

from sandbox.images import Image

TOOLS_REPOSITORY = "news-tools"
# "scratch" holds one static binary and no operating system: nothing a scanner could read.
TOOLS = (Image("migrate-2024", 402_000_000, 380.0), Image("scratch", 6_100_000, 92.0))
UNSUPPORTED = frozenset({"scratch"})
