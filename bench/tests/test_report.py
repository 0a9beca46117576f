"""From cells to rows and pages, on cells that the test makes up."""

import json

import pytest

from measuring import report
from measuring.cases import COMPARISONS, SIZES, Case
from measuring.cells import Cell
from measuring.load import Sample

PARAMETERS = dict.fromkeys(
    ["runs", "seconds", "spread_limit", "rounds", "server", "client", "connections"], "7")


def cell(path: str, speed: float, front: float | None, case=Case("keep", "4m"), **more) -> Cell:
    return Cell(case, path, [Sample(speed, 100, 200, front, 5.0, 0.02, 0.1)] * 5, **more)


def keyed(*cells: Cell) -> report.Cells:
    return {(each.case, each.path): each for each in cells}


def row(cells: report.Cells, index: int) -> dict:
    return report.compare(COMPARISONS[index], "4m", cells)


def test_a_row_holds_figure_peer_ratio_and_goal():
    assert row(keyed(cell("baton", 300, 2), cell("haproxy", 200, 100)), 0) == {
        "case": "keep-alive, returned after each response: requests/s", "size": "4 MiB",
        "unit": "requests/s", "better": "higher", "peer": "haproxy", "baton": 300, "peer_figure": 200,
        "ratio": 1.5, "goal": 0.97, "met": True}


def test_the_better_haproxy_counts_for_each_figure():
    cells = keyed(cell("baton", 300, 10), cell("haproxy", 500, 100), cell("haproxy-splice", 400, 50))
    assert (row(cells, 0)["peer"], row(cells, 0)["met"]) == ("haproxy", False)
    assert (row(cells, 1)["peer"], row(cells, 1)["peer_figure"]) == ("haproxy, splice-response", 50)


@pytest.mark.parametrize("ours, met", [(4.9, True), (5.0, True), (5.1, False)])
def test_less_cpu_is_better(ours, met):
    assert row(keyed(cell("baton", 1, ours), cell("haproxy", 1, 100)), 1)["met"] is met


def test_where_no_goal_is_set_none_is_met_or_missed():
    found = report.rows(keyed(cell("baton", 1, 1), cell("nginx", 1, 1)))
    assert found and all(each["goal"] is None and each["met"] is None for each in found)


def test_what_was_not_measured_has_no_row():
    assert report.rows(keyed(cell("haproxy", 1, 1))) == []


def all_cells() -> report.Cells:
    return keyed(*(cell(path, 1000, None if path == "direct" else 10, Case(mode, size))
                   for mode in ("keep", "close") for size in SIZES
                   for path in Case(mode, size).paths(["direct", "haproxy", "haproxy-splice", "nginx",
                                                       "baton"])))


def result(**changes) -> report.Result:
    counts = {"requests": 100, "failed": 0, "reopened": 0, "complete": 100, "incomplete": 0} | changes
    cells = all_cells()
    return report.Result({"kernel": "Linux"}, cells, {key: counts for key in cells})


def test_the_goals_are_twelve():
    found = report.rows(all_cells())
    assert [each["goal"] for each in found if each["goal"] is not None] == [
        1.15, 1.5, 1.3, 0.97, 0.6, 0.4, 0.5, 0.05, 0.97, 1.05, 1.1, 1.2]


def test_json_and_page_hold_the_same_rows():
    written = json.loads(report.as_json(result()))
    page = report.as_markdown(result(), PARAMETERS)
    for each in written["rows"]:
        assert f"| {each['case']} | {each['size']} |" in page
    assert len(written["cells"]) == 36
    assert "{" not in page, "a placeholder was left"


def test_failures_are_said_at_the_top_and_by_kind():
    page = report.as_markdown(result(failed=3, complete=97, incomplete=3), PARAMETERS)
    assert "108 of 3600 checked answers" in page.split("##")[0]
    assert "4 MiB: 3 incomplete" in page


def test_a_page_names_what_was_noisy():
    noisy = Cell(Case("keep", "128"), "baton",
                 [Sample(speed, 1, 2, 3.0, 4.0, 0.5, 0.0) for speed in (100, 120, 140)], 2)
    page = report.cell_table(keyed(noisy), "keep")
    assert "**33%**" in page
    assert "measured 3×, 3 of 3 runs disturbed" in page


def test_the_top_says_how_many_cells_were_not_steady():
    """Figures of a busy machine must not pass for good ones."""
    def top(*cells: Cell) -> str:
        return report.as_markdown(report.Result({}, keyed(*cells), {}), PARAMETERS).split("##")[0]

    steady = cell("baton", 100, 1)
    spread = Cell(Case("keep", "128"), "nginx", [Sample(v, 1, 2, 3.0, 4.0, 0, 0) for v in (1, 2, 3)])
    disturbed = Cell(Case("keep", "128"), "haproxy", [Sample(1, 1, 2, 3.0, 4.0, 0.9, 0)] * 3)
    assert "All cells were steady" in top(steady)
    assert "2 of 3 cells were not steady" in top(steady, spread, disturbed)


def test_nothing_counted_breaks_nothing():
    """A front that answered nothing is shown as 0, not as an error of the script."""
    cells = keyed(cell("baton", 0, 0), cell("haproxy", 200, 10))
    assert report.rows(cells)[0]["ratio"] == 0
    assert "| 0 |" in report.as_markdown(report.Result({}, cells, {}), PARAMETERS)
