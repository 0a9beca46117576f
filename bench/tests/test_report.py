"""From cells to rows and pages, on cells that the test makes up."""

import json

import pytest

from measuring import report, throughput
from measuring.cells import Cell
from measuring.goals import Row
from measuring.load import Sample
from measuring.part import Settings
from measuring.throughput_cases import COMPARISONS, PARTS, SIZES, Case

PATHS = ["direct", "haproxy", "haproxy-splice", "nginx", "baton", "leased"]
LEASED, RETURNED, RETURNED_CPU = range(3)  # among COMPARISONS


def cell(path: str, speed: float, front: float | None, case=Case("keep", "4m"), **more) -> Cell:
    sample = Sample(speed, 100, 200, front, 5.0, foreign_server=0.02, foreign_client=0.1)
    return Cell(case, path, [sample] * 5, **more)


def keyed(*cells: Cell) -> throughput.Cells:
    return {(each.case, each.path): each for each in cells}


def row(cells: throughput.Cells, index: int) -> Row:
    return throughput.compare(COMPARISONS[index], "4m", cells, {})


def all_rows(cells: throughput.Cells, missing=None) -> list[Row]:
    return throughput.rows(cells, list(PARTS), list(SIZES), missing or {})


def test_a_row_holds_figure_peer_ratio_and_goal():
    found = row(keyed(cell("baton", 300, 2), cell("haproxy", 200, 100)), RETURNED)
    assert report.row_record(found) == {
        "case": "keep-alive, returned after each response: requests/s", "variant": "4 MiB",
        "unit": "requests/s", "baton": 300, "spread": 0, "peer": "haproxy", "peer_figure": 200,
        "peer_spread": 0, "ratio": 1.5, "goal": "≥ 0.97×", "bound": 0.97, "met": True,
        "not_measured": None, "fault": None}


def test_the_better_haproxy_counts_for_each_figure():
    cells = keyed(cell("baton", 300, 10), cell("haproxy", 500, 100), cell("haproxy-splice", 400, 50))
    assert (row(cells, RETURNED).peer, row(cells, RETURNED).met) == ("haproxy", False)
    found = row(cells, RETURNED_CPU)
    assert (found.peer, found.peer_figure) == ("haproxy, splice-response", 50)


@pytest.mark.parametrize("ours, met", [(4.9, True), (5.0, True), (5.1, False)])
def test_less_cpu_is_better(ours, met):
    assert row(keyed(cell("baton", 1, ours), cell("haproxy", 1, 100)), RETURNED_CPU).met is met


def test_a_leased_connection_is_held_against_the_worker_alone():
    found = row(keyed(cell("leased", 94, 0.1), cell("direct", 100, None), cell("baton", 1, 1)), LEASED)
    assert (found.peer, found.ratio, found.met) == ("the worker alone", 0.94, False)


def test_where_no_goal_is_set_none_is_met_or_missed():
    found = all_rows(keyed(cell("baton", 1, 1), cell("nginx", 1, 1)))
    assert found and all(each.goal is None and each.met is None for each in found)


def test_what_was_not_wanted_has_no_row():
    assert all_rows(keyed(cell("haproxy", 1, 1))) == []


def test_what_cannot_be_measured_has_rows_that_say_so():
    found = all_rows(keyed(cell("direct", 1, None)), {"leased": "no leases here"})
    assert [(each.variant, each.unmeasured, each.met) for each in found] == [
        (size, "no leases here", None) for size in ("128 B", "16 KiB", "256 KiB", "4 MiB")]


def all_cells() -> throughput.Cells:
    return keyed(*(cell(path, 1000, None if path == "direct" else 10, Case(mode, size))
                   for mode in ("keep", "close") for size in SIZES
                   for path in Case(mode, size).paths(PATHS)))


def result(**changes) -> report.Result:
    counts = {"requests": 100, "failed": 0, "reopened": 0, "complete": 100, "incomplete": 0} | changes
    cells = all_cells()
    found = throughput.findings(cells, {key: counts for key in cells}, list(PARTS), list(SIZES), {})
    return report.Result({"kernel": "Linux"}, {"throughput": found}, Settings(7, 7))


def test_goals_of_closed_loops_are_sixteen():
    assert [each.goal.bound for each in all_rows(all_cells()) if each.goal is not None] == [
        0.95, 0.95, 0.95, 0.95, 1.15, 1.5, 1.3, 0.97, 0.6, 0.4, 0.5, 0.05, 0.97, 1.05, 1.1, 1.2]


def test_only_a_part_needs_only_its_paths():
    leased = throughput.Throughput(["leased"], ["128"], PATHS)
    assert leased._wanted == {"keep": ["direct", "leased"]}
    assert throughput.Throughput(["returned"], ["128"], PATHS)._wanted == {
        "keep": ["haproxy", "haproxy-splice", "baton"]}


def test_json_and_page_hold_the_same_rows():
    written = json.loads(report.as_json(result()))
    page = report.as_markdown(result())
    for each in written["rows"]:
        assert f"| {each['case']} | {each['variant']} |" in page
    assert len(written["throughput"]["cells"]) == 40
    assert "{" not in page, "a placeholder was left"


def test_failures_are_said_at_the_top_and_by_kind():
    page = report.as_markdown(result(failed=3, complete=97, incomplete=3))
    assert "120 of 4000 checked answers" in page.split("##")[0]
    assert "4 MiB: 3 incomplete" in page


def test_a_page_names_what_was_noisy():
    noisy = Cell(Case("keep", "128"), "baton",
                 [Sample(speed, 1, 2, 3.0, 4.0, foreign_server=0.5) for speed in (100, 120, 140)], 2)
    page = throughput.cell_table(keyed(noisy), "keep")
    assert "**33%**" in page
    assert "measured 3×, 3 of 3 runs disturbed" in page


def test_the_top_says_how_many_cells_were_not_steady():
    """Figures of a busy machine must not pass for good ones."""
    def top(*cells: Cell) -> str:
        found = throughput.findings(keyed(*cells), {}, [], [], {})
        return report.as_markdown(report.Result({}, {"throughput": found}, Settings(5, 2))).split("##")[0]

    steady = cell("baton", 100, 1)
    spread = Cell(Case("keep", "128"), "nginx", [Sample(v, 1, 2, 3.0, 4.0) for v in (1, 2, 3)])
    disturbed = Cell(Case("keep", "128"), "haproxy", [Sample(1, 1, 2, 3.0, 4.0, foreign_server=0.9)] * 3)
    assert "All cells were steady" in top(steady)
    assert "2 of 3 cells were not steady" in top(steady, spread, disturbed)
    assert "No cell was measured" in top()
