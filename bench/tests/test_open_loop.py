"""Schedules that are the same for the same seed and as random as they should be; their playing."""

import statistics
import subprocess
import threading
from itertools import pairwise

import pytest

from failing_server import RIGHT, Server
from measuring.open_loop import (Arrival, parse_records, percentile, poisson, schedule_lines)

MIX = ((0.95, 0.001), (0.05, 0.050))


def test_a_seed_is_a_schedule():
    assert poisson(100, 5, 7, MIX) == poisson(100, 5, 7, MIX)
    assert poisson(100, 5, 7, MIX) != poisson(100, 5, 8, MIX)


def test_a_schedule_of_this_seed_stays_what_it_is():
    """Figures of two commits compare only if their arrivals are the same."""
    first = poisson(1000, 1, 1, MIX)[:3]
    assert [(round(each.at * 1e9), each.service) for each in first] == [
        (144291, 0.001), (1587260, 0.001), (2271319, 0.001)]


def test_arrivals_are_poisson():
    """Gaps between them are exponential: mean and deviation are the same, and 1 - 1/e are shorter."""
    arrivals = poisson(1000, 60, 1, MIX)
    gaps = [later.at - earlier.at for earlier, later in pairwise(arrivals)]
    assert statistics.mean(gaps) == pytest.approx(0.001, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(0.001, rel=0.02)
    assert sum(gap < 0.001 for gap in gaps) / len(gaps) == pytest.approx(0.632, abs=0.01)
    assert all(0 < arrival.at < 60 for arrival in arrivals)


def test_neighbouring_gaps_know_nothing_of_each_other():
    gaps = [later.at - earlier.at for earlier, later in pairwise(poisson(1000, 60, 2, MIX))]
    assert abs(statistics.correlation(gaps[:-1], gaps[1:])) < 0.02


def test_shares_of_the_mix_are_kept():
    arrivals = poisson(1000, 60, 3, MIX)
    assert sum(arrival.service == 0.050 for arrival in arrivals) / len(arrivals) == pytest.approx(
        0.05, abs=0.005)


def test_a_percentile_is_a_value_that_was_there():
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 50), percentile(values, 99), percentile(values, 100)) == (50, 99, 100)
    assert percentile([3.0], 99) == 3.0
    assert percentile([5.0, 1.0], 50) == 1.0
    with pytest.raises(ValueError):
        percentile([], 50)


def test_lines_are_what_the_player_reads():
    assert schedule_lines([Arrival(0.0015, 0.001), Arrival(2, 0.05)], "/cold") == (
        "1500000 /cold/work?us=1000\n2000000000 /cold/work?us=50000\n")


def test_records_are_what_the_player_writes():
    record, silent = parse_records("1000 2000 1500000 1063421 complete\n5 6 7 -1 no_answer\n")
    assert record.latency == pytest.approx(0.001499)
    assert record.took == pytest.approx(0.001063421)
    assert (silent.took, silent.outcome) == (None, "no_answer")


# -- the program

def play(bin_dir, patience, folder, answer, lines: str, *options):
    """Records and exit status; the request for the reference is answered rightly."""
    server = Server(lambda number: [RIGHT, b""] if number == 0 else answer(number))
    (folder / "schedule").write_text(lines)
    done = subprocess.run(
        [bin_dir / "baton-open-load", "--server", f"127.0.0.1:{server.port}", "--schedule",
         folder / "schedule", "--records", folder / "records", "--reference-target", "/", "--length",
         "1000", *options], capture_output=True, text=True, timeout=patience, check=False)
    server.listener.close()
    return done, server


def lines_every(milliseconds: int, count: int) -> str:
    return "".join(f"{index * milliseconds * 1_000_000} /\n" for index in range(count))


def test_each_request_has_a_record(bin_dir, patience, tmp_path):
    took = RIGHT.replace(b"OK\r\n", b"OK\r\nX-Took-Ns: 1234000\r\n")
    done, _ = play(bin_dir, patience, tmp_path, lambda _: [took], lines_every(1, 50), "--connections", "4")
    assert done.returncode == 0, done.stderr
    records = parse_records((tmp_path / "records").read_text())
    assert [record.outcome for record in records] == ["complete"] * 50
    assert [record.planned for record in records] == [index / 1000 for index in range(50)]
    assert all(record.planned <= record.sent <= record.done for record in records)
    assert {record.took for record in records} == {0.001234}


def test_nobody_waits_for_an_answer_to_be_sent(bin_dir, patience, tmp_path):
    """All requests are sent before the first answer comes, over more connections than were opened."""
    count = 40
    all_there = threading.Event()

    def answer(number):
        if number == count:
            all_there.set()
        assert all_there.wait(patience)
        return [RIGHT]

    done, server = play(bin_dir, patience, tmp_path, answer, lines_every(1, count), "--connections", "4")
    assert done.returncode == 0, done.stderr
    assert server.connections == count + 1  # and the one for the reference
    assert all(record.outcome == "complete"
               for record in parse_records((tmp_path / "records").read_text()))


@pytest.mark.parametrize("outcome, fault", [
    ("wrong_status", [b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"]),
    ("wrong_body", [RIGHT[:-1] + b"x"]),
    ("incomplete", [RIGHT[:-1], b""]),
    ("no_answer", [b""]),
])
def test_a_failure_is_recorded_as_what_it_is(bin_dir, patience, tmp_path, outcome, fault):
    done, _ = play(bin_dir, patience, tmp_path, lambda number: fault if number == 3 else [RIGHT],
                   lines_every(20, 5), "--connections", "1")
    assert done.returncode == 1, done.stderr
    outcomes = sorted(record.outcome for record in parse_records((tmp_path / "records").read_text()))
    assert outcomes == sorted(["complete"] * 4 + [outcome])


def test_silence_ends_when_grace_does(bin_dir, patience, tmp_path):
    silent = threading.Event()
    done, _ = play(bin_dir, patience, tmp_path, lambda _: [b""] if silent.wait(patience) else [],
                   lines_every(1, 2), "--grace-ms", "100")
    silent.set()
    assert done.returncode == 1
    assert [record.outcome for record in parse_records((tmp_path / "records").read_text())] == [
        "timed_out"] * 2


def test_a_schedule_that_makes_no_sense_is_refused(bin_dir, patience, tmp_path):
    done, _ = play(bin_dir, patience, tmp_path, lambda _: [RIGHT], "5 /a\n4 /b\n")
    assert done.returncode == 2
    assert "line 2" in done.stderr
