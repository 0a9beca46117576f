"""When a goal is met, and what is shown of one that nobody measured."""

import pytest

from measuring import parts, report
from measuring.engine_decision import findings as engine_findings
from measuring.engine_decision import samples as engine_samples
from measuring.first_request import Sample as Start
from measuring.first_request import findings as first_findings
from measuring.cells import Cell
from measuring.goals import Findings, Goal, Row, unmeasured
from measuring.part import Settings


@pytest.mark.parametrize("goal, value, met", [
    (Goal(0.95, "at least"), 0.95, True), (Goal(0.95, "at least"), 0.949, False),
    (Goal(0.3, "at most"), 0.3, True), (Goal(0.3, "at most"), 0.31, False),
    (Goal(0.1, "within"), 1.0999, True), (Goal(0.1, "within"), 0.89, False)])
def test_a_bound_is_part_of_what_it_allows(goal, value, met):
    assert Row("case", "–", "ms", goal, ratio=value).met is met


def test_a_goal_of_the_figure_does_not_look_at_a_ratio():
    assert Row("case", "–", "ms", Goal(5, "at most", "figure"), baton=4, ratio=9).met is True


def test_what_was_not_measured_is_neither_met_nor_missed():
    row = Row("case", "–", "ms", Goal(5, "at most", "figure"), baton=4, unmeasured="no time")
    assert row.met is None
    assert report.verdict(row) == "not measured: no time"
    assert report.summary([row]) == "0 of 1 goals are met; 1 could not be measured."


def test_a_fault_misses_the_goal_whatever_the_figure_says():
    row = Row("case", "–", "ms", Goal(5, "at most", "figure"), baton=4, fault="3 failed")
    assert row.met is False
    assert report.verdict(row) == "**no**: 3 failed"


def test_a_goal_without_a_figure_is_not_met():
    assert Row("case", "–", "ms", Goal(5, "at most", "figure")).met is False


def test_goals_read_as_they_are_meant():
    texts = [Row("case", "–", unit, goal).goal_text() for unit, goal in (
        ("µs", Goal(0.95, "at least")), ("ms", Goal(5, "at most", "figure")),
        ("clients", Goal(0, "at most", "figure")), ("ms", Goal(0.1, "within")), ("ms", None))]
    assert texts == ["≥ 0.95×", "≤ 5 ms", "none", "within 10%", "–"]


def test_every_case_that_must_be_measured_has_its_goals():
    """Sizes of a closed loop, loads of an open one; a row that is lost here is never missed there."""
    wanted = parts.chosen(list(parts.NAMES), ["128", "16k", "256k", "4m"],
                          ["direct", "haproxy", "haproxy-splice", "nginx", "baton", "leased"])
    bounds: dict[str, list[float]] = {}
    for part in wanted:
        for row in part.goals():
            bounds.setdefault(row.case, []).append(row.goal.bound)
    assert list(bounds.values()) == [
        [0.95, 0.95, 0.95, 0.95], [1.15, 1.5, 1.3, 0.97], [0.6, 0.4, 0.5, 0.05], [0.97, 1.05, 1.1, 1.2],
        [0.3, 0.85, 1.05, 0.1, 0.3, 0.85, 1.05, 0.1], [0], [2048], [1.15], [5], [1], [0.93] * 3,
        [0.85] * 3, [1, 1]]


def test_all_of_it_leaves_time_for_repeats_within_25_minutes():
    wanted = parts.chosen(list(parts.NAMES), ["128", "16k", "256k", "4m"],
                          ["direct", "haproxy", "haproxy-splice", "nginx", "baton", "leased"])
    assert sum(part.seconds(Settings(runs=5, seconds=2)) for part in wanted) < 1200


def test_rows_lose_their_figures_when_a_part_cannot_be_measured():
    rows = unmeasured([Row("case", "128 B", "ms", Goal(5, "at most"), "haproxy", 3.0, ratio=1.0)], "why")
    assert rows == [Row("case", "128 B", "ms", Goal(5, "at most"), "haproxy", unmeasured="why")]
    page = report.as_markdown(report.Result({}, {"part": Findings(rows, [], {})}, Settings(5, 2)))
    assert "not measured: why" in page
    assert "1 could not be measured" in page.split("##")[0]


def test_the_engine_is_read_from_its_repetitions_alone():
    def repetition(name: str, time: float) -> dict:
        return {"run_name": f"decision_at_scale/{name}/busy:1000/waiting:10000",
                "run_type": "iteration", "cpu_time": time, "time_unit": "ns"}

    mean = {"run_name": "decision_at_scale/ready/busy:1000", "run_type": "aggregate", "cpu_time": 9e9,
            "time_unit": "ns"}
    found = engine_findings(engine_samples({"benchmarks": [
        *(repetition("ready", time) for time in (400, 900, 450)), mean,
        *(repetition("warm", time) for time in (1001, 1001, 1001))]}))
    assert [(row.variant, row.baton, row.met) for row in found.rows] == [
        ("pick=ready", 0.45, True), ("pick=warm", 1.001, False)]


def test_a_first_request_counts_beyond_the_workers_own_start():
    cells = {path: Cell("first", path, [Start(milliseconds=value) for value in values],
                        steady_by="milliseconds")
             for path, values in (("start", [1, 2, 3]), ("first", [4, 7, 8]))}
    row = first_findings(cells).rows[0]
    assert (row.baton, row.peer_figure, row.met) == (5, 2, True)
