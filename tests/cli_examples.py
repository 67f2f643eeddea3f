"""The AWS CLI's own documented examples against the sandbox: `python -m tests.cli_examples`.

A development check, not part of `bin/test`: it installs the CLI from the package registry beside
the project (or takes an installation at AWSCLI). Every example command of an operation the sandbox
answers itself is run through the real CLI; the sandbox may refuse what it says (there is no service
`my-http-service`) but must have understood it. Every example output must survive the sandbox's
serialiser and botocore's parser unchanged.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import botocore.session
from botocore import xform_name
from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from sandbox.moto_adapter import Call, serialise
from tests.sandbox.account import Account

# The answers of a sandbox that did not understand the question.
NOT_UNDERSTOOD = {
    "InternalFailure",
    "InvalidAction",
    "MalformedInput",
    "MalformedXML",
    "MissingAction",
    "SerializationException",
    "UnknownOperationException",
}
# How the sandbox says that it knows an operation and does not serve it.
REFUSED_BY_NAME = "sandbox does not"
# A few examples are older than the CLI's own rules.
CLI_REFUSED = re.compile(r"Error parsing parameter|Parameter validation failed")
SESSION = botocore.session.get_session()
BLOCK = re.compile(
    r"^(?P<text>[^\n]*?)::[ \t]*\n(?:[ \t]*\n)+(?P<body>(?:(?:[ \t]+[^\n]*)?\n)+)", re.MULTILINE
)
FILE = re.compile(r"file://(\S+)")
NAMED = re.compile(r"`{0,2}([\w.-]+\.json)`{0,2}")


@dataclass
class Example:
    """One command, the files it reads and what it is said to print."""

    command: str
    files: dict[str, str] = field(default_factory=dict)
    output: str | None = None


def examples(text):
    """The examples of one page of the CLI's reference."""
    found = []
    for block in BLOCK.finditer(text + "\n"):
        body = _dedented(block["body"])
        if body.startswith("aws "):
            found.append(Example(body))
        elif found and block["text"].strip().rstrip(":").endswith("Output"):
            found[-1].output = found[-1].output or body
        elif found and body.startswith(("{", "[")):
            for name in NAMED.findall(block["text"]) or FILE.findall(found[-1].command):
                found[-1].files.setdefault(Path(name).name, body)
    return found


def _dedented(body):
    lines = body.rstrip().splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[indent:] for line in lines)


def arguments(example, directory):
    """The command's arguments with its files written to `directory`; None when one is missing."""
    command = example.command.split("\n\n")[0].replace("\\\n", " ")
    for path in FILE.findall(command):
        name = Path(path.strip("'\"")).name
        if name not in example.files:
            return None
        (directory / name).write_text(example.files[name])
        command = command.replace(f"file://{path}", f"file://{directory / name}")
    try:
        return shlex.split(command)[1:]
    except ValueError:
        return None


def installed(directory):
    """Where the CLI is: AWSCLI, or freshly installed into `directory`."""
    if "AWSCLI" in os.environ:
        return Path(os.environ["AWSCLI"])
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(directory)]
    subprocess.run([*command, "awscli"], check=True)
    return directory


class Cli:
    """The real CLI in this process, told where the sandbox is."""

    def __init__(self, endpoint):
        os.environ |= {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }
        from awscli.clidriver import create_clidriver

        self._create = create_clidriver
        # By argument: the environment's AWS_ENDPOINT_URL does not reach every command.
        self._where = ["--region", "us-east-1", "--endpoint-url", endpoint]

    def run(self, command):
        """Error code the sandbox answered ("" for none), or None when it answered nothing."""
        driver = self._create()
        codes = []

        def keep(parsed, **_):
            error = parsed.get("Error", {})
            refused = REFUSED_BY_NAME in error.get("Message", "")
            codes.append("refused by name" if refused else error.get("Code", ""))

        driver.session.register("after-call", keep)
        said = io.StringIO()
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            contextlib.suppress(SystemExit),
        ):
            driver.main([*command, *self._where])
        if not codes and CLI_REFUSED.search(said.getvalue()):
            return "refused by the CLI"
        return codes[0] if codes else None


def survives(service, operation, output):
    """Whether an example output comes back whole from our serialiser and botocore's parser."""
    model = SESSION.get_service_model(service)
    described = model.operation_model(operation)
    protocols = model.metadata.get("protocols", [model.metadata["protocol"]])
    protocol = next(name for name in protocols if name in ("json", "query", "ec2", "rest-json"))
    # moto's serialisers know moto's own kind of model.
    theirs = get_service_model(service).operation_model(operation)
    call = Call(service, theirs, protocol, {}, None)
    answer = serialise(call, output, "example")
    parsed = create_parser(protocol).parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body},
        described.output_shape,
    )
    return not lost(output, parsed, described.output_shape)


def lost(sent, kept, shape):
    """Whether anything the model knows of `sent` is missing in `kept`."""
    if shape.type_name == "structure":
        known = sent.keys() & shape.members.keys()
        return any(k not in kept or lost(sent[k], kept[k], shape.members[k]) for k in known)
    if shape.type_name == "list":
        pairs = zip(sent, kept, strict=False)
        return len(sent) != len(kept) or any(lost(*pair, shape.member) for pair in pairs)
    if shape.type_name == "map":
        return any(k not in kept or lost(sent[k], kept[k], shape.value) for k in sent)
    return kept is None


def own_operations(account):
    """(service, operation) of everything the sandbox answers itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{account.port}/_sandbox/operations") as answer:
        services = json.load(answer)["services"]
    return [
        (service["service"], row["operation"])
        for service in services
        for row in service["operations"]
        if row["by"] == "ours"
    ]


def main():
    with tempfile.TemporaryDirectory() as text:
        directory = Path(text)
        place = installed(directory / "awscli")
        sys.path.append(str(place))
        account = Account(directory / "home").ready()
        try:
            failed = check(place / "awscli/examples", account, directory)
        finally:
            account.stop()
    sys.exit(1 if failed else 0)


def check(pages, account, directory):
    """Run every example of every own operation; prints a summary, returns what failed."""
    cli = Cli(f"http://127.0.0.1:{account.port}")
    counts, failed = Counter(), []
    for service, operation in own_operations(account):
        page = pages / service / f"{xform_name(operation, '-')}.rst"
        if not page.exists():
            counts["operations without examples"] += 1
            continue
        for example in examples(page.read_text()):
            outcome = _command(cli, example, directory)
            counts[outcome.split(":")[0]] += 1
            if outcome.startswith(("not understood", "not sent")):
                failed.append(f"{service} {operation} {outcome}: {example.command[:160]!r}")
            outcome = _output(service, operation, example)
            counts[outcome] += 1
            if outcome == "output lost":
                failed.append(f"{service} {operation}: output does not survive")
    for what, number in sorted(counts.items()):
        sys.stdout.write(f"{number:5} {what}\n")
    sys.stdout.writelines(f"{line}\n" for line in failed)
    return failed


def _command(cli, example, directory):
    command = arguments(example, directory)
    if command is None:
        return "command without its files"
    code = cli.run(command)
    if code is None:
        return "not sent"
    if code == "refused by the CLI":
        return code
    if code in NOT_UNDERSTOOD:
        return f"not understood: {code}"
    return "understood, refused" if code else "understood, answered"


def _output(service, operation, example):
    if not example.output:
        return "example without output"
    try:
        output = json.loads(example.output)
    except ValueError:
        return "output that is no JSON"
    if SESSION.get_service_model(service).operation_model(operation).output_shape is None:
        return "output that the model lacks"
    return "output kept" if survives(service, operation, output) else "output lost"


if __name__ == "__main__":
    main()
