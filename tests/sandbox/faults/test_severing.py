"""A running task loses the connections it made before its link led to a relay."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from sandbox import severing
from sandbox.severing import Links, sever


@pytest.fixture
def server(tmp_path):
    """A Unix socket that many connect to."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "server"))
        listener.listen(8)
        yield tmp_path / "server"


def connected(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    client.settimeout(0.05)
    return client


def descriptors():
    return len(list(Path("/dev/fd").iterdir()))


def alive(client):
    """Whether the connection is still open: nobody ever sends, so it only times out."""
    try:
        return client.recv(1) != b""
    except TimeoutError:
        return True


def test_only_connections_to_that_server_are_broken(server):
    one, two = connected(server), connected(server)
    pair = socket.socketpair()
    pair[0].settimeout(0.05)
    before = descriptors()

    severed = sever(str(server))

    assert severed == 2
    assert [alive(one), alive(two), alive(pair[0])] == [False, False, True]
    assert descriptors() == before
    for each in (one, two, *pair):
        each.close()


def test_a_link_that_moves_to_its_relay_breaks_what_went_past_it(server, tmp_path, monkeypatch):
    monkeypatch.setattr(severing, "LOOK_SECONDS", 0.0)
    link = tmp_path / "links" / "database"
    link.parent.mkdir()
    link.symlink_to(server)
    links = Links([link])
    client = connected(link)
    links.look()
    calm = alive(client)

    link.unlink()
    link.symlink_to(link.with_name("database-relay"))
    links.look()

    assert (calm, alive(client)) == (True, False)
    client.close()


def test_a_link_that_moves_back_to_the_server_breaks_nothing(server, tmp_path, monkeypatch):
    monkeypatch.setattr(severing, "LOOK_SECONDS", 0.0)
    link = tmp_path / "links" / "database"
    link.parent.mkdir()
    relay = link.with_name("database-relay")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(relay))
        listener.listen(1)
        link.symlink_to(relay)
        links = Links([link])
        client = connected(link)

        link.unlink()
        link.symlink_to(server)
        links.look()

        assert alive(client)
        client.close()
