"""The overview as one HTML page: no scripts, light and dark, readable on a phone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from sandbox.overview.facts import Facts

_STYLE = """
:root { color-scheme: light dark; --line: #8885; --soft: #8882; --accent: #2457c5; }
@media (prefers-color-scheme: dark) { :root { --accent: #8fb1ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: .25rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .5rem; text-align: left;
  vertical-align: top; overflow-wrap: break-word; }
th { white-space: nowrap; }
td { overflow-wrap: anywhere; }
.whole { white-space: nowrap; }
td p { margin: 0; min-width: 14rem; }
.scroll { overflow-x: auto; }
summary { cursor: pointer; font-weight: 600; padding: .4rem 0; }
details { border-bottom: 1px solid var(--line); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.mark { background: var(--soft); border-radius: .25rem; padding: 0 .35rem; }
@media (max-width: 40rem) { dl { grid-template-columns: 1fr; } dd { margin-bottom: .5rem; } }
"""


def html(
    facts: Facts,
    faults: Sequence[Mapping[str, Any]],
    services: Sequence[Mapping[str, Any]],
    balancers: Mapping[str, Any] | None = None,
) -> str:
    """The whole document; `balancers` are load balancers by name, as the status tells them."""
    own = sum(row["by"] == "ours" for service in services for row in service["operations"])
    own_services = [one for one in services if any(r["by"] != "moto" for r in one["operations"])]
    rest = [one for one in services if one not in own_services]
    total = sum(len(service["operations"]) for service in services)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Sandbox</title><style>{_STYLE}</style></head><body>"
        '<header><h1>Sandbox: a local AWS account</h1><nav aria-label="On this page">'
        '<a href="#now">Now</a> · <a href="#listeners">Listeners</a> · '
        '<a href="#faults">Faults</a> · <a href="#operations">Operations</a></nav></header><main>'
        f"{_now(facts)}{_balancers(balancers or {})}{_faults(faults)}"
        f'<section id="operations" aria-labelledby="h-operations">'
        f'<h2 id="h-operations">Operations</h2><p>{own} of {total} operations are our own and '
        "behave as their notes say; the others are answered by moto, which keeps what is created "
        "and does little by itself. Those marked refused, and all that are not listed, "
        "are answered with an error.</p>"
        f"{_summary(own_services)}{''.join(map(_service, own_services))}"
        f"<details><summary>{len(rest)} services of moto alone</summary>"
        f"{''.join(map(_service, rest))}</details></section></main></body></html>\n"
    )


def _now(facts: Facts) -> str:
    pairs = {
        "First start": f"{facts.epoch:%F %T} UTC; older history is computed, newer is measured",
        "Sandbox time": f"{facts.now:%F %T} UTC",
        "Clock": f"rate {facts.rate:g}, {round(facts.ahead_seconds):,} s ahead of real time",
        "Memory": f"{_mebibytes(facts.memory_bytes)} {_memory(facts)}",
    }
    listed = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in pairs.items())
    rows = ((str(one.pid), one.what, _mebibytes(one.memory_bytes)) for one in facts.processes)
    return (
        f'<section id="now" aria-labelledby="h-now"><h2 id="h-now">Now</h2><dl>{listed}</dl>'
        f"{_table('Processes', ('Process', 'What', 'Memory'), rows)}</section>"
    )


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f} MiB"


def _memory(facts: Facts) -> str:
    if facts.proportional:
        return "(PSS: pages that processes share are divided among them)"
    return "resident; shared pages count in each process, so it is less in truth"


def _balancers(balancers: Mapping[str, Any]) -> str:
    """Where each listener answers: clients on this machine cannot use AWS's ports."""
    rows = [
        (name, *_listener(listener))
        for name, balancer in balancers.items()
        for listener in balancer["listeners"]
    ]
    columns = ("Load balancer", "Listener", "Answers at", "Rules by priority")
    return (
        f'<section id="listeners" aria-labelledby="h-listeners"><h2 id="h-listeners">Listeners</h2>'
        f"{_table('Listeners of load balancers', columns, rows)}</section>"
    )


def _listener(listener: Mapping[str, Any]) -> tuple[str, str, str]:
    port = escape(f"{listener['protocol']}:{listener['port']}")
    url = escape(listener["url"])
    return (
        # A number that is broken into two lines reads like two.
        _Markup(f'<span class="whole">{port}</span>'),
        _Markup(f'<a class="whole" href="{url}">{url}</a>'),
        "; ".join(map(_rule, listener["rules"])),
    )


def _rule(rule: Mapping[str, Any]) -> str:
    fields = " and ".join(rule["conditions"])
    weights = ", ".join(f"{name} {weight:g}" for name, weight in rule.get("weights", {}).items())
    does = f"to {weights}" if weights else "answers by itself"
    return f"{rule['priority']}{f' ({fields})' if fields else ''}: {does}"


def _faults(faults: Sequence[Mapping[str, Any]]) -> str:
    rows = (
        (str(one["id"]), one["fault"], one["says"], one["started"], one["ends"] or "until cleared")
        for one in faults
    )
    columns = ("Number", "Fault", "What it does", "Since", "Until")
    body = _table("Faults in force", columns, rows) if faults else "<p>No fault is in force.</p>"
    return (
        f'<section id="faults" aria-labelledby="h-faults"><h2 id="h-faults">Faults</h2>'
        f"{body}</section>"
    )


def _service(service: Mapping[str, Any]) -> str:
    rows = service["operations"]
    counted = Counter(row["by"] for row in rows)
    told = ", ".join(f"{count} {by}" for by, count in sorted(counted.items(), reverse=True))
    name = escape(service["service"])
    cells = ((row["operation"], row["by"], _notes(row["notes"])) for row in rows)
    table = _table(f"Operations of {service['service']}", ("Operation", "By", "Notes"), cells)
    # A browser opens what encloses the target of a link, so the id stands inside.
    return (
        f"<details><summary>{name}: {told}</summary>"
        f'<div id="{name}">{_notes(service["notes"])}{table}</div></details>'
    )


def _summary(services: Sequence[Mapping[str, Any]]) -> str:
    """A row for each service that has operations of our own: how many, and how many are moto's."""
    rows = []
    for service in services:
        counted = Counter(row["by"] for row in service["operations"])
        name = escape(service["service"])
        link = _Markup(f'<a href="#{name}">{name}</a>')
        rows.append((link, *(str(counted[by]) for by in ("ours", "moto", "refused"))))
    return _table(
        "Services with operations of our own", ("Service", "Ours", "Moto", "Refused"), rows
    )


class _Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _notes(notes: Iterable[Mapping[str, str]]) -> _Markup:
    return _Markup(
        "".join(
            f'<p><span class="mark">{escape(note["kind"])}</span> {escape(note["text"])}</p>'
            for note in notes
        )
    )


def _table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value: str) -> str:
    return value if isinstance(value, _Markup) else escape(value)
