"""What is installed: exact versions with hashes, no registry's address, a reason for each."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from launcher.paths import CHECKOUT

LOCKS = sorted(path.name for path in (CHECKOUT / "requirements").glob("*.txt"))
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")
DEPENDENCY = re.compile(r'^\s*"[A-Za-z0-9._-]+[\[=<>!~"]')


def _lock(name: str) -> str:
    return (CHECKOUT / "requirements" / name).read_text()


def _pins(name: str) -> dict[str, str]:
    found = filter(None, map(PINNED.match, _lock(name).splitlines()))
    return {canonicalize_name(pin[1]): pin[2] for pin in found}


def _project() -> dict[str, list[str]]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def test_there_is_a_lock_for_every_way_to_install():
    assert LOCKS == ["dev.txt", "node.txt", "portal.txt", "sandbox.txt", "up.txt"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash(name: str):
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", _lock(name))

    unhashed = [block.splitlines()[0] for block in blocks if block and "sha256:" not in block]

    assert unhashed == []


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_a_registry(name: str):
    assert "://" not in _lock(name)
    assert "--index-url" not in _lock(name)
    assert "--find-links" not in _lock(name)


def test_npms_lock_has_hashes_and_no_address():
    packages = json.loads((CHECKOUT / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name}

    assert installed
    assert all(entry["integrity"].startswith("sha512-") for entry in installed.values())
    assert not any("resolved" in entry for entry in installed.values())


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("portal.txt", [""]),
        ("sandbox.txt", ["", "sandbox"]),
        ("up.txt", ["", "sandbox", "embedded"]),
        ("dev.txt", ["", "sandbox", "embedded", "dev"]),
    ],
)
def test_a_lock_fulfils_what_the_project_asks_for(name: str, extras: list[str]):
    pins = _pins(name)
    wanted = [Requirement(line) for extra in extras for line in _project()[extra]]

    unmet = [
        str(requirement)
        for requirement in wanted
        if not requirement.specifier.contains(pins.get(canonicalize_name(requirement.name), "0"))
    ]

    assert unmet == []


@pytest.mark.parametrize("name", ["sandbox.txt", "up.txt", "dev.txt"])
def test_all_locks_agree_on_the_portals_versions(name: str):
    portal = _pins("portal.txt")

    different = {
        package: (portal[package], version)
        for package, version in _pins(name).items()
        if portal.get(package, version) != version
    }

    assert different == {}


def test_every_dependency_says_why_it_is_there():
    lines = (CHECKOUT / "pyproject.toml").read_text().splitlines()
    begin, end = lines.index("dependencies = ["), lines.index("[tool.ruff]")
    named = [line for line in lines[begin:end] if DEPENDENCY.match(line)]

    silent = [line.strip() for line in named if not re.search(r"# \S+ \S+", line)]

    assert len(named) == sum(map(len, _project().values()))
    assert silent == []


def test_no_lock_holds_a_machines_path():
    paths = [CHECKOUT / "requirements" / name for name in LOCKS]

    assert not [
        path.name for path in paths if re.search(r"/(home|root|work|opt)/", path.read_text())
    ]
