"""The News API's own PostgreSQL database, cache, sources and processes.

It runs in processes of its own, because this one holds the portal's settings.
"""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from news_api.resp import Valkey, parse_address
from tests.news_api import feeds as feed_server
from tests.news_api.feeds import FeedServer
from tests.news_api.relay import Relay
from tests.news_api.service import Server, Service

# Limits and cache outcomes are exact only while no answer of the cache comes too late.
PATIENT = "socket_timeout=60"
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Create a database for this run and return its URL."""
    given = os.environ.get("NEWS_TEST_DATABASE_URL") or os.environ["DATABASE_URL"]
    name = f"news_test_{WORKER}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    server = re.sub(r"^(postgres(?:ql)?://[^/]*/)[^?]*", r"\g<1>postgres", given)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(drop)
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield (
            server.replace("/postgres", f"/{name}", 1)
            if "///" in server
            else re.sub(r"/postgres(\?|$)", rf"/{name}\1", server)
        )
        admin.execute(drop)


@pytest.fixture(scope="session")
def cache_url() -> str:
    environment = os.environ
    given = (
        environment.get("NEWS_TEST_REDIS_URL")
        or environment.get("NEWS_REDIS_URL")
        or environment["REDIS_URL"]
    )
    return f"{given}{'&' if '?' in given else '?'}{PATIENT}"


@pytest.fixture(scope="session")
def installed(database: str, cache_url: str, tmp_path_factory: pytest.TempPathFactory) -> Service:
    """Return the service with its tables made."""
    environment = {
        "NEWS_DATABASE_URL": database,
        "NEWS_REDIS_URL": cache_url,
        "NEWS_SECRET_KEY": "for the tests only",
        "NEWS_ANONYMOUS_PER_MINUTE": "0",
        "NEWS_CACHE_FRESH_SECONDS": "0",
        "NEWS_STATEMENT_TIMEOUT_MS": "60000",
        # What the feeds of the tests tell is as old as the tests are.
        "NEWS_KEEP_DAYS": "36500",
        "APP_VERSION": "1.4.0",
    }
    service = Service(environment, tmp_path_factory.mktemp("news"))
    migrated = service.run("migrate")
    assert migrated.returncode == 0, migrated.stderr
    return service


@pytest.fixture
def db(installed: Service, database: str) -> Iterator[psycopg.Connection]:
    """Return a connection to the service's empty tables."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "TRUNCATE news_api_article, news_api_source, news_api_apikey RESTART IDENTITY"
        )
        yield connection


@pytest.fixture
def valkey(cache_url: str) -> Iterator[Valkey]:
    """Return a client of the cache, without anything that the News API kept there."""
    client = Valkey(cache_url)
    forget = "for _, key in ipairs(redis.call('KEYS', 'news:*')) do redis.call('DEL', key) end"
    client.execute("EVAL", forget, "0")
    yield client
    client.close()


@pytest.fixture
def service(installed: Service, db: psycopg.Connection, valkey: Valkey) -> Service:
    """Return the service with empty tables and an empty cache."""
    return installed


@pytest.fixture(scope="session")
def shared_server(installed: Service) -> Iterator[Server]:
    server = installed.serve()
    yield server
    server.close()


@pytest.fixture
def server(shared_server: Server, service: Service) -> Server:
    """Return a running server, without cache and limits, over empty tables."""
    return shared_server


@pytest.fixture
def serve(service: Service) -> Iterator[Callable[..., Server]]:
    """Return what starts a server with settings of its own."""
    started: list[Server] = []

    def start(**variables: str) -> Server:
        started.append(service.serve(**variables))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def feeds() -> Iterator[FeedServer]:
    """Return a local web server that plays the sources."""
    played = FeedServer()
    server = feed_server.run(played)
    yield played
    server.shutdown()
    server.server_close()


@pytest.fixture
def database_relay(database: str) -> Iterator[tuple[Relay, str]]:
    """Return a relay in front of PostgreSQL, and the URL that goes through it."""
    info = psycopg.conninfo.conninfo_to_dict(database)
    host, port = str(info.get("host", "localhost")), int(info.get("port") or 5432)
    on_socket = host.startswith("/")
    upstream = f"{host}/.s.PGSQL.{port}" if on_socket else (host, port)
    relay = Relay(socket.AF_UNIX if on_socket else socket.AF_INET, upstream)
    login = f"{quote(str(info.get('user', '')))}:{quote(str(info.get('password', '')))}"
    yield relay, f"postgresql://{login}@127.0.0.1:{relay.port}/{info['dbname']}?sslmode=disable"
    relay.close()


@pytest.fixture
def cache_relay(cache_url: str) -> Iterator[tuple[Relay, str]]:
    """Return a relay in front of Valkey, and the URL that goes through it."""
    address = parse_address(cache_url)
    upstream = address.path or (address.host, address.port)
    relay = Relay(socket.AF_UNIX if address.path else socket.AF_INET, upstream)
    login = f"{quote(address.username)}:{quote(address.password)}@" if address.password else ""
    yield relay, f"redis://{login}127.0.0.1:{relay.port}/{address.database}?{PATIENT}"
    relay.close()
