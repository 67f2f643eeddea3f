"""Where this machine keeps Chromium, and how long the browser tests wait for it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# Milliseconds that no page takes, however busy the machine is.
LONGEST = 200_000
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MACOS = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
PLAYWRIGHT_CACHES = (".cache/ms-playwright", "Library/Caches/ms-playwright")
PLAYWRIGHT_BINARIES = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/Chromium.app/Contents/MacOS/Chromium",
)


def find_chromium() -> Path | None:
    """Return the browser's executable, or None. `CHROMIUM` decides when it is set."""
    if named := os.environ.get("CHROMIUM"):
        return Path(named) if os.access(named, os.X_OK) else None
    return next((path for path in _usual_places() if os.access(path, os.X_OK)), None)


def _usual_places() -> list[Path]:
    on_path = [found for name in NAMES if (found := shutil.which(name))]
    downloaded = [
        found
        for cache in PLAYWRIGHT_CACHES
        for pattern in PLAYWRIGHT_BINARIES
        for found in sorted((Path.home() / cache).glob(pattern), reverse=True)
    ]
    return [*map(Path, on_path), *map(Path, MACOS), *downloaded]
