"""From records to rows, on records that the test makes up."""

import json

import pytest

from measuring import uneven
from measuring.cells import Cell
from measuring.open_loop import Arrival, Played, Record


def sample(p99: float, ideal: float = 50.0, failed: int = 0) -> uneven.Sample:
    return uneven.Sample(p50_ms=1.0, p99_ms=p99, ideal_p99_ms=ideal, requests=100, failed=failed,
                         outcomes={}, late_us=10, front_cpu_us=30.0)


def cells(**p99s) -> dict:
    """Each path's p99 by round, the same at both loads."""
    return {(load, path): Cell(load, path, [sample(value) for value in p99s[path]], steady_by="of_ideal")
            for load in uneven.LOADS for path in uneven.PATHS}


def test_a_run_is_held_against_the_queue_of_its_own_arrivals_and_services():
    """One server too few for a moment: nine requests at once, the last one waits for the first end."""
    arrivals = [Arrival(2.0, 0.050)] * 9
    records = [Record(2.0, 2.0, 2.060, 0.055, "complete")] * 8 + [
        Record(2.0, 2.0, 2.118, 0.055, "complete")]
    found = uneven.sample_of(arrivals, Played(records, {"failed": 0, "latest_us": 7}, 0.0),
                             front_cpu_us=1.0)
    assert found.p99_ms == pytest.approx(118)
    assert found.ideal_p99_ms == pytest.approx(110)  # twice what the worker had it, not what was asked
    assert (found.requests, found.late_us) == (9, 7)


def test_the_warm_up_fills_the_queue_but_is_not_counted():
    arrivals = [Arrival(0.99, 0.05)] * 8 + [Arrival(1.0, 0.05)]
    records = [Record(each.at, each.at, each.at + 0.05, 0.05, "complete") for each in arrivals]
    found = uneven.sample_of(arrivals, Played(records, {"failed": 0, "latest_us": 0}, 0.0),
                             front_cpu_us=1.0)
    assert found.requests == 1
    assert found.ideal_p99_ms == pytest.approx(90)  # it waited for what came before


def test_ratios_are_of_rounds_with_the_same_arrivals():
    """Medians of each would say 60/200; round by round it is 0.25, 0.3 and 0.4."""
    found = uneven.rows(cells(baton=[50, 60, 80], roundrobin=[200, 200, 200], leastconn=[100] * 3,
                              maxconn=[50, 60, 80]))
    by_peer = {row.peer: row for row in found if row.variant == "70% load"}
    assert by_peer["haproxy, roundrobin"].ratio == pytest.approx(0.3)
    assert by_peer["haproxy, roundrobin"].met is True
    assert by_peer["haproxy, leastconn"].ratio == pytest.approx(0.6)
    assert by_peer["haproxy, maxconn 1"].ratio == 1.0


def test_the_ideal_may_be_missed_by_a_tenth_to_either_side():
    for p99, met in ((54.9, True), (55.2, False), (44.0, False)):
        found = uneven.rows(cells(baton=[p99] * 3, roundrobin=[500] * 3, leastconn=[100] * 3,
                                  maxconn=[50] * 3))
        assert {row.met for row in found if row.peer == uneven.IDEAL} == {met}


def test_a_request_that_failed_spoils_all_rows():
    made = cells(baton=[50] * 3, roundrobin=[500] * 3, leastconn=[100] * 3, maxconn=[50] * 3)
    made["70", "baton"].samples[0] = sample(50, failed=2)
    found = uneven.rows(made)
    assert {row.met for row in found if row.variant == "70% load"} == {False}
    assert {row.met for row in found if row.variant == "85% load"} == {True}


def test_rows_are_those_that_were_promised():
    found = uneven.rows(cells(baton=[50] * 3, roundrobin=[500] * 3, leastconn=[100] * 3, maxconn=[50] * 3))
    promised = uneven.Uneven().goals()
    assert [(row.case, row.variant, row.peer, row.goal) for row in found] == [
        (row.case, row.variant, row.peer, row.goal) for row in promised]


def test_the_record_is_json_and_the_section_a_table():
    found = uneven.findings(cells(baton=[50] * 3, roundrobin=[500] * 3, leastconn=[100] * 3,
                                  maxconn=[50] * 3))
    assert len(json.loads(json.dumps(found.record))["cells"]) == 8
    assert "| 85% load | haproxy, leastconn |" in found.sections[0].text
