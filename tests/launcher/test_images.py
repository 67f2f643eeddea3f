"""What the container definitions promise, read from the files themselves."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from launcher.paths import CHECKOUT

DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["migrate", "web", "worker", "beat", "sandbox"]


def _copied() -> set[str]:
    """Return what COPY takes from the checkout."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def test_the_build_context_is_exactly_what_the_images_copy():
    allowed = set(re.findall(r"^!(.+)$", (CHECKOUT / ".dockerignore").read_text(), re.MULTILINE))

    assert allowed == _copied()
    assert [name for name in allowed if not (CHECKOUT / name).exists()] == []


def test_packages_are_installed_by_hash():
    installations = re.findall(r"pip install .+", DOCKERFILE)

    assert len(installations) == 2
    assert all("--require-hashes" in line for line in installations)
    assert "npm ci" in DOCKERFILE


def test_nothing_runs_as_root():
    stages = re.split(r"(?m)^FROM ", DOCKERFILE)
    run = [stage for stage in stages if re.search(r"(?m)^CMD ", stage)]

    assert len(run) == 2
    assert all("USER 10001:10001" in stage and "HEALTHCHECK" in stage for stage in run)


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_cannot_write_its_image_or_gain_rights(name: str):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_only_the_portal_is_reachable_and_only_from_this_machine():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", OURS)
def test_no_container_starts_before_its_database(name: str):
    waits = SERVICES[name]["depends_on"]

    assert "migrate" in waits or waits["postgres"] == {"condition": "service_healthy"}


def test_no_secret_is_written_down():
    text = (CHECKOUT / "docker-compose.yml").read_text()

    assert re.findall(r"(?:PASSWORD|SECRET_KEY): (?!\$\{)", text) == []


def test_the_worker_serves_the_same_queues_as_under_bin_up():
    launcher = (CHECKOUT / "launcher" / "up.py").read_text()
    (queues,) = re.findall(r'"--queues", "([a-z,]+)"', launcher)

    assert f"--queues={queues}" in SERVICES["worker"]["command"]
