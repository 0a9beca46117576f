"""What counts as memory of a connection, and the clients that hold one."""

import subprocess
import sys

import pytest

from conftest import BENCH
from failing_server import RIGHT, Server
from measuring import idle
from measuring.cells import Cell
from measuring.load import Sample


def cell(path: str, p99: float, **errors) -> Cell:
    return Cell("idle", path, [Sample(1000, 100, p99, 10.0, 5.0, errors)] * 5, steady_by="p99_us")


def found(p99: float = 110, memory=((1000, 900),) * 5, count: int = 20_000, **errors):
    return idle.findings(count, [{"rss": rss, "pss": pss} for rss, pss in memory],
                         {"without": cell("without", 100), "with": cell("with", p99, **errors)})


def test_the_greater_of_rss_and_pss_counts():
    memory = found(memory=[(1000, 900), (800, 1100), (1200, 100), (900, 1), (1050, 2)]).rows[0]
    assert (memory.baton, memory.met) == (1050, True)
    assert found(memory=[(100, 2049)] * 5).rows[0].met is False


@pytest.mark.parametrize("p99, met", [(114, True), (116, False)])
def test_p99_is_compared_with_that_of_the_same_load_without_them(p99, met):
    assert found(p99=p99).rows[1].met is met


def test_errors_of_the_load_spoil_its_row():
    assert found(read=1).rows[1].met is False


def test_fewer_connections_than_were_wanted_are_said_to_be():
    assert "may have" not in found().sections[0].text
    assert "may have" in found(count=18_900).sections[0].text
    assert "18\u202f900 connections" in found(count=18_900).rows[0].variant


def hold(server: Server, patience: float, count: int) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, BENCH / "measuring/hold.py", str(server.port), str(count), "/",
                           "1000"], input="", capture_output=True, text=True, timeout=patience, check=False)


def test_each_held_connection_has_had_its_answer(patience):
    server = Server(lambda _: [RIGHT[:50], RIGHT[50:]])
    done = hold(server, patience, 10)
    assert done.stdout.split() == ["READY", "10", "10"], done.stderr
    assert (server.count, server.connections) == (10, 10)


def test_a_connection_that_was_not_kept_is_not_counted_as_open(patience):
    server = Server(lambda number: [RIGHT, b""] if number == 2 else [RIGHT])
    assert hold(server, patience, 5).stdout.split() == ["READY", "5", "4"]


@pytest.mark.parametrize("answer", [[b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], [RIGHT[:100], b""],
                                    [RIGHT.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")]])
def test_what_is_no_kept_answer_ends_it_all(patience, answer):
    done = hold(Server(lambda _: answer), patience, 1)
    assert done.returncode != 0
    assert done.stdout == ""
