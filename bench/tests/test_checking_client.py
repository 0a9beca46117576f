"""The checking client against a server that fails on purpose: every way to fail must be counted."""

import json
import socket
import subprocess
import threading

import pytest

from failing_server import RIGHT, Server


def run(bin_dir, patience, answer, *options, requests=6, connections=1):
    """The client's report; the first request, for the reference, is answered rightly."""
    server = Server(lambda number: [RIGHT, b""] if number == 0 else answer(number))
    done = subprocess.run(
        [bin_dir / "baton-checking-client", "--server", f"127.0.0.1:{server.port}", "--target", "/",
         "--length", "1000", "--requests", str(requests), "--connections", str(connections), *options],
        capture_output=True, text=True, timeout=patience, check=False)
    server.listener.close()
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert report["requests"] == requests
    assert done.returncode == (1 if report["failed"] else 0)
    return {kind: count for kind, count in report.items() if count and kind != "requests"}


def third(fault, usual=(RIGHT,)):
    """A server whose third answer is at fault."""
    return lambda number: list(fault if number == 3 else usual)


@pytest.mark.parametrize("mode", [[], ["--close"]], ids=["keep", "close"])
def test_right_answers_are_complete(bin_dir, patience, mode):
    assert run(bin_dir, patience, lambda _: [RIGHT], *mode, requests=100, connections=8) == {
        "complete": 100}


@pytest.mark.parametrize("mode", [[], ["--close"]], ids=["keep", "close"])
@pytest.mark.parametrize("outcome, fault", [
    ("incomplete", [RIGHT[:-1], b""]),
    ("incomplete", [RIGHT[:20], b""]),
    ("incomplete", [RIGHT[:500], None]),
    ("wrong_body", [RIGHT[:-1] + b"x"]),
    ("wrong_length", [RIGHT.replace(b"1000", b"0999")[:-1]]),
    ("wrong_status", [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]),
    ("malformed", [b"what?\r\n\r\n"]),
    ("extra_bytes", [RIGHT + b"more"]),
])
def test_a_failure_is_counted_as_what_it_is(bin_dir, patience, mode, outcome, fault):
    assert run(bin_dir, patience, third(fault), *mode) == {"complete": 5, "failed": 1, outcome: 1}


def test_no_answer_on_a_connection_of_its_own_is_a_failure(bin_dir, patience):
    assert run(bin_dir, patience, third([b""]), "--close") == {
        "complete": 5, "failed": 1, "no_answer": 1}


def test_a_kept_connection_that_ends_between_answers_is_reopened(bin_dir, patience):
    assert run(bin_dir, patience, third([b""])) == {"complete": 6, "reopened": 1}


def test_where_that_is_no_excuse_it_is_a_failure(bin_dir, patience):
    assert run(bin_dir, patience, third([b""]), "--strict") == {
        "complete": 5, "failed": 1, "no_answer": 1}
    assert run(bin_dir, patience, third([None]), "--strict") == {
        "complete": 5, "failed": 1, "no_answer": 1}


def test_a_time_may_be_the_limit_instead_of_a_number(bin_dir, patience):
    server = Server(lambda _: [RIGHT])
    done = subprocess.run(
        [bin_dir / "baton-checking-client", "--server", f"127.0.0.1:{server.port}", "--target", "/",
         "--length", "1000", "--requests", "1000000", "--for-ms", "100"],
        capture_output=True, text=True, timeout=patience, check=False)
    server.listener.close()
    report = json.loads(done.stdout)
    assert 0 < report["requests"] == report["complete"] < 1_000_000


def test_an_announced_end_of_a_kept_connection_is_no_reopening(bin_dir, patience):
    last = RIGHT.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    assert run(bin_dir, patience, third([last, b""])) == {"complete": 6}


def test_a_reset_behind_the_last_byte_is_unclean(bin_dir, patience):
    closing = RIGHT.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    assert run(bin_dir, patience, third([closing, None])) == {
        "complete": 5, "failed": 1, "unclean_end": 1}


def test_silence_ends_at_the_deadline(bin_dir, patience):
    silent = threading.Event()

    def answer(_):
        silent.wait(patience)
        return [b""]

    assert run(bin_dir, patience, answer, "--deadline-ms", "200") == {"failed": 6, "timed_out": 6}
    silent.set()


def test_a_server_that_is_gone_costs_each_request(bin_dir, patience):
    server = Server(lambda _: [RIGHT])
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    done = subprocess.run(
        [bin_dir / "baton-checking-client", "--server", f"127.0.0.1:{port}",
         "--reference", f"127.0.0.1:{server.port}", "--target", "/", "--length", "1000",
         "--requests", "5"], capture_output=True, text=True, timeout=patience, check=False)
    assert json.loads(done.stdout)["not_sent"] == 5
