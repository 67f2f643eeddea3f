"""Queries as operators write them, their answers computed a second time without the engine."""

from __future__ import annotations

import json
import random
import re
import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime

import pytest

from tests.sandbox.logs.insights import BEGIN, run

STEP = 7_001
RANDOM = random.Random(3)
PATHS = ["/v1/articles", "/v1/articles/7", "/v1/search", "/healthz"]
LEVELS = ["INFO", "INFO", "INFO", "WARN", "ERROR"]


def _request(number):
    status = RANDOM.choice([200, 200, 200, 204, 404, 500, 503])
    found = {
        "level": RANDOM.choice(LEVELS),
        "path": RANDOM.choice(PATHS),
        "status": status,
        "ms": round(RANDOM.uniform(0.5, 900), 3),
        "client": {"ip": f"10.0.{RANDOM.randint(0, 3)}.{RANDOM.randint(1, 9)}", "tags": ["a", "b"]},
        "message": f"[req-{number:04d}] took {RANDOM.randint(1, 99)} tries, Retry={number % 5}",
    }
    if status >= 500:
        found["error"] = {"type": RANDOM.choice(["Timeout", "Refused"]), "chain": [{"code": 7}]}
    if number % 4:
        found["user"] = f"u{RANDOM.randint(1, 6)}"
    return found


def _access(number):
    path = RANDOM.choice(PATHS)
    return (
        f'10.1.0.{RANDOM.randint(1, 5)} - - [14/Nov/2023:22:13:20 +0000] "GET {path}?n={number} '
        f'HTTP/1.1" {RANDOM.choice([200, 302, 502])} {RANDOM.randint(100, 9999)} "-" '
        f'"curl/8.{number % 3}"'
    )


REQUESTS = [_request(number) for number in range(240)]
ACCESS = [_access(number) for number in range(60)]
MESSAGES = [json.dumps(each) for each in REQUESTS] + ACCESS
COMBINED = re.compile(r'(\S+) - - \[(.*?)\] "(\S+) (\S+) (.*?)" (\d+) (\d+) "-" "(.*?)"')
LINES = [COMBINED.fullmatch(line).groups() for line in ACCESS]
NEWEST = REQUESTS[::-1]


def shown(value):
    """A number as Insights shows it."""
    text = f"{value:.4f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def at(number):
    return BEGIN + number * STEP


def date(milliseconds):
    return f"{datetime.fromtimestamp(milliseconds // 1000, UTC):%Y-%m-%d %H:%M:%S}.000"


def binned(numbers, minutes):
    """How often each beginning of a period occurs."""
    length = minutes * 60_000
    return Counter(at(number) // length * length for number in numbers)


def grouped(key, value, of=tuple(REQUESTS)):
    found = defaultdict(list)
    for each in of:
        found[key(each)].append(value(each))
    return found


def percentile(values, share):
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def numbers_of(condition):
    return [number for number, each in enumerate(REQUESTS) if condition(each)]


def _errors_by_bin():
    counts = binned(numbers_of(lambda each: each["level"] == "ERROR"), 5)
    return [{"bin(5m)": date(begin), "errors": str(n)} for begin, n in sorted(counts.items())]


def _latency_by_path():
    found = grouped(lambda each: each["path"], lambda each: each["ms"])
    shares = (50, 95, 99)
    return [
        {"path": path} | {f"p{share}": shown(percentile(values, share)) for share in shares}
        for path, values in sorted(found.items())
    ]


def _top_clients():
    counts = Counter(each["client"]["ip"] for each in REQUESTS)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].split(".")[2:]))
    return [{"client.ip": ip, "n": str(n)} for ip, n in ranked[:5]]


def _by_bin_and_path():
    found = Counter(
        (at(number) // 300_000 * 300_000, each["path"]) for number, each in enumerate(REQUESTS)
    )
    return [
        {"bin(5m)": date(begin), "path": path, "n": str(n)}
        for (begin, path), n in sorted(found.items())
    ]


def _error_share():
    found = grouped(lambda each: each["path"], lambda each: each["status"] >= 500)
    return [
        {"path": path, "share": shown(100 * sum(values) / len(values))}
        for path, values in sorted(found.items())
    ]


def _users():
    found = grouped(lambda each: each["path"], lambda each: each.get("user"))
    return [
        {"path": path, "users": str(len(set(users) - {None}))}
        for path, users in sorted(found.items())
    ]


def _latest_by_user():
    found = {}
    for each in NEWEST:
        found.setdefault(each.get("user"), each["path"])
    return [{"user": user, "path": path} for user, path in found.items() if user]


def _coalesced():
    counts = Counter(each.get("user", "nobody") for each in REQUESTS)
    return [{"who": who, "n": str(n)} for who, n in sorted(counts.items())]


def _bytes_by_address():
    found = defaultdict(int)
    for address, *_, size, _ in LINES:
        found[address] += int(size)
    return [{"address": one, "bytes": str(n)} for one, n in sorted(found.items())]


def _status_by_path():
    counts = Counter((line[3].partition("?")[0], line[5]) for line in LINES)
    return [{"path": p, "code": c, "n": str(n)} for (p, c), n in sorted(counts.items())]


def _parsed_globs():
    return [
        {"id": f"{number:04d}", "tries": re.search(r"took (\d+)", each["message"])[1]}
        for number, each in reversed(list(enumerate(REQUESTS)))
    ][:7]


def _buckets():
    counts = Counter("slow" if each["ms"] > 500 else "fast" for each in REQUESTS)
    return [{"speed": speed, "n": str(n)} for speed, n in sorted(counts.items())]


def _latency_bands():
    counts = Counter(each["ms"] // 100 * 100 for each in REQUESTS)
    return [{"band": shown(band), "n": str(n)} for band, n in sorted(counts.items())]


def _peak():
    counts = binned(range(len(MESSAGES)), 1)
    return [{"peak": str(max(counts.values())), "mean": shown(statistics.mean(counts.values()))}]


def _deviation():
    values = [each["ms"] for each in REQUESTS]
    return [
        {"s": shown(statistics.stdev(values)), "low": str(min(values)), "high": str(max(values))}
    ]


def _subnet():
    inside = [e for e in NEWEST if e["client"]["ip"].startswith(("10.0.2.", "10.0.3."))]
    return [{"n": str(len(inside))}]


def matching(condition, *names):
    return lambda: [{n: str(each[n]) for n in names} for each in NEWEST if condition(each)]


def counted(condition, of=tuple(REQUESTS)):
    return lambda: [{"n": str(sum(map(bool, map(condition, of))))}]


def _first_and_last():
    return [{"first": REQUESTS[0]["path"], "last": REQUESTS[-1]["path"]}]


def _hourly():
    counts = binned(range(len(MESSAGES)), 60)
    return [{"hour": date(begin), "n": str(n)} for begin, n in sorted(counts.items())]


def _slowest():
    ranked = sorted(REQUESTS, key=lambda each: -each["ms"])[:3]
    return [{"ms": str(each["ms"]), "path": each["path"]} for each in ranked]


def _error_types():
    counts = Counter(each["error"]["type"] for each in REQUESTS if "error" in each)
    return [{"error.type": kind, "n": str(n)} for kind, n in sorted(counts.items())]


def _apdex():
    good = sum(each["ms"] <= 100 for each in REQUESTS)
    fair = sum(100 < each["ms"] <= 400 for each in REQUESTS)
    return [{"apdex": shown((good + fair / 2) / len(REQUESTS))}]


def _agents():
    counts = Counter(line[-1].partition("/")[2] for line in LINES)
    return [{"version": version, "n": str(n)} for version, n in sorted(counts.items())]


PARSED = (
    r'parse @message /^(?<address>\S+) - - \[.*?\] "\S+ (?<path>[^? ]+)\S* \S+" (?<code>\d+) '
    r"(?<size>\d+)/ | filter ispresent(code)"
)
GLOB = """parse @message '* - - [*] "* *?* *" * * "-" "*"'
 as address, moment, method, path, rest, protocol, code, size, agent | filter size > 0"""

SAMPLES = [
    (
        "filter level = 'ERROR' | stats count(*) as errors by bin(5m) | sort `bin(5m)`",
        _errors_by_bin,
    ),
    (
        (
            "filter ms > 0 | stats pct(ms, 50) as p50, pct(ms, 95) as p95, pct(ms, 99) as p99 "
            "by path | sort path"
        ),
        _latency_by_path,
    ),
    (
        ("filter ms > 0 | stats count(*) as n by client.ip | sort n desc, client.ip | limit 5"),
        _top_clients,
    ),
    (
        "filter ispresent(path) | stats count(*) as n by bin(5m), path | sort `bin(5m)`, path",
        _by_bin_and_path,
    ),
    (
        (
            "filter ispresent(path) | fields if(status >= 500, 1, 0) as bad "
            "| stats 100 * sum(bad) / count(*) as share by path | sort path"
        ),
        _error_share,
    ),
    ("filter path like '/' | stats count_distinct(user) as users by path | sort path", _users),
    (
        "filter ispresent(user) | fields user, path | sort @timestamp desc | dedup user",
        _latest_by_user,
    ),
    (
        "filter ms > 0 | stats count(*) as n by coalesce(user, 'nobody') as who | sort who",
        _coalesced,
    ),
    (f"{PARSED} | stats sum(size) as bytes by address | sort address", _bytes_by_address),
    (f"{PARSED} | stats count(*) as n by path, code | sort path, code", _status_by_path),
    (f"{GLOB} | stats sum(size) as bytes by address | sort address", _bytes_by_address),
    (f"{GLOB} | stats count(*) as n by path, code | sort path, code", _status_by_path),
    (
        (
            "parse message '[req-*] took * tries,' as id, tries | filter ispresent(id) "
            "| display id, tries | limit 7"
        ),
        _parsed_globs,
    ),
    (
        (
            "filter ispresent(ms) | stats count(*) as n by if(ms > 500, 'slow', 'fast') as speed "
            "| sort speed"
        ),
        _buckets,
    ),
    (
        "filter ispresent(ms) | stats count(*) as n by floor(ms / 100) * 100 as band | sort band",
        _latency_bands,
    ),
    ("stats count(*) as n by bin(1m) | stats max(n) as peak, avg(n) as mean", _peak),
    ("stats stddev(ms) as s, min(ms) as low, max(ms) as high", _deviation),
    ("filter isIpv4InSubnet(client.ip, '10.0.2.0/23') | stats count(*) as n", _subnet),
    (
        "filter status in [500, 503] and level != 'INFO' | fields path, status",
        matching(lambda e: e["status"] in (500, 503) and e["level"] != "INFO", "path", "status"),
    ),
    (
        "filter path not in ['/healthz'] and ms >= 800 | fields path, ms",
        matching(lambda e: e["path"] != "/healthz" and e["ms"] >= 800, "path", "ms"),
    ),
    (
        r"filter message like /(?i)retry=[34]$/ and status = 404 | fields message",
        matching(lambda e: e["message"][-1] in "34" and e["status"] == 404, "message"),
    ),
    ("filter @message like /retry=/", list),
    (
        "filter strcontains(message, 'Retry=0') | stats count(*) as n",
        counted(lambda e: e["message"].endswith("Retry=0")),
    ),
    (
        "filter not ispresent(user) and ispresent(level) | stats count(*) as n",
        counted(lambda e: "user" not in e),
    ),
    (
        "filter error.chain.0.code = 7 | stats count(*) as n",
        counted(lambda e: "error" in e),
    ),
    (
        "filter error.chain[0].code = 7 and client.tags[1] = 'b' | stats count(*) as n",
        counted(lambda e: "error" in e),
    ),
    (
        "filter abs(ms - 450) < 50 | stats count(*) as n",
        counted(lambda e: abs(e["ms"] - 450) < 50),
    ),
    (
        "filter ms % 2 < 1 and status < 300 or status = 503 | stats count(*) as n",
        counted(lambda e: (e["ms"] % 2 < 1 and e["status"] < 300) or e["status"] == 503),
    ),
    (
        "filter strlen(path) > 8 and toupper(level) =~ /^(ERROR|WARN)$/ | stats count(*) as n",
        counted(lambda e: len(e["path"]) > 8 and e["level"] in ("ERROR", "WARN")),
    ),
    (
        (
            "filter substr(path, 1, 2) = 'v1' and replace(path, '/v1', '') = '/search' "
            "| stats count(*) as n"
        ),
        counted(lambda e: e["path"] == "/v1/search"),
    ),
    (
        "filter concat(level, ':', status) = 'ERROR:500' | stats count(*) as n",
        counted(lambda e: (e["level"], e["status"]) == ("ERROR", 500)),
    ),
    (
        "filter greatest(ms, 300) = 300 and least(ms, 100) = 100 | stats count(*) as n",
        counted(lambda e: 100 <= e["ms"] <= 300),
    ),
    (
        (
            "fields jsonParse(jsonStringify(client)) as c | filter c.ip like '10.0.1.' "
            "| stats count(*) as n"
        ),
        counted(lambda e: e["client"]["ip"].startswith("10.0.1.")),
    ),
    ("stats earliest(path) as first, latest(path) as last", _first_and_last),
    ("stats count(*) as n by datefloor(@timestamp, 1h) as hour | sort hour", _hourly),
    (
        (
            f"filter @timestamp >= {at(100)} and toMillis(@timestamp) < {at(110)} "
            "| stats count(*) as n"
        ),
        lambda: [{"n": "10"}],
    ),
    ("fields ms, path | filter ms > 0 | sort ms desc | limit 3", _slowest),
    (
        "filter ispresent(error.type) | stats count(*) as n by error.type | sort error.type",
        _error_types,
    ),
    (
        (
            "fields if(ms <= 100, 1, if(ms <= 400, 0.5, 0)) as worth | filter ispresent(ms) "
            "| stats avg(worth) as apdex"
        ),
        _apdex,
    ),
    (
        (
            'parse @message "curl/*\\"" as version | filter ispresent(version) '
            "| stats count(*) as n by version | sort version"
        ),
        _agents,
    ),
]


@pytest.mark.parametrize(
    ("query", "expected"), SAMPLES, ids=[str(number) for number, _ in enumerate(SAMPLES)]
)
def test_the_answer_is_what_the_events_say(query, expected):
    assert run(query, MESSAGES, step=STEP) == expected()
