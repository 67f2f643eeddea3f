"""The sandbox's own command, as a shell uses it."""

from __future__ import annotations

import subprocess
import sys

from tests.sandbox.account import ROOT


def test_a_reader_who_has_read_enough_sees_no_traceback(account):
    command = [sys.executable, "-m", "sandbox", "operations", f"--port={account.port}"]

    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        complaint = process.stderr.read()

    assert complaint == b""
