"""What is measured again, and what counts in the end."""

from measuring.cells import ROUNDS_AGAIN, TRIES, Budget, CaseRun, Cell
from measuring.load import Sample
from measuring.noise import NoiseLimits
from measuring.throughput_cases import Case

CASE = Case("keep", "128")


def sample(speed: float, foreign: float = 0.0, front: float | None = 10.0) -> Sample:
    return Sample(speed, 100, 200, front, 5.0, foreign_server=foreign)


class Clock:
    """Stands still unless told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def budget(extra_runs: int, must_runs: int) -> Budget:
    return Budget(must_runs + extra_runs, must_runs, 1.0, Clock())


def run(series: dict[str, list[Sample]], runs: int, extra_runs: int = 1000,
        **more) -> dict[str, Cell]:
    """Each path yields its samples one after the other; the last one for ever."""
    series = {path: list(samples) for path, samples in series.items()}

    def measure(path: str, _round: int) -> Sample:
        return series[path].pop(0) if len(series[path]) > 1 else series[path][0]

    case_run = CaseRun(CASE, list(series), runs, budget(extra_runs, runs * len(series)),
                       NoiseLimits(), measure, lambda _: None, **more)
    return {cell.path: cell for cell in case_run.run()}


def test_figures_are_medians_and_spread_is_the_range():
    cell = Cell(CASE, "baton", [sample(speed) for speed in (90, 100, 110, 95, 400)])
    assert cell.figure("requests_per_second") == 100
    assert cell.spread == 3.1


def test_the_worker_alone_has_no_front():
    assert Cell(CASE, "direct", [sample(1, front=None)] * 3).figure("front_cpu_us") is None


def test_steady_cells_are_measured_once():
    cell = run({"baton": [sample(100)]}, runs=5)["baton"]
    assert (len(cell.samples), cell.measured_again, cell.disturbed_runs) == (5, 0, 0)


def test_a_noisy_cell_is_measured_again_and_the_steadier_set_counts():
    noisy = [sample(speed) for speed in (100, 150, 200)]
    cells = run({"haproxy": [*noisy, sample(90)], "baton": [sample(100)]}, runs=3)
    assert cells["haproxy"].figure("requests_per_second") == 90
    assert cells["haproxy"].measured_again == 1
    assert cells["baton"].measured_again == 0


def test_a_second_set_that_is_worse_does_not_count():
    first = [sample(speed) for speed in (100, 110, 120)]
    cell = run({"baton": [*first, *map(sample, (1, 50, 100)), *map(sample, (1, 50, 100))]}, runs=3)
    assert [each.requests_per_second for each in cell["baton"].samples] == [100, 110, 120]
    assert cell["baton"].measured_again == ROUNDS_AGAIN


def test_a_disturbed_run_is_repeated_a_few_times_and_the_quietest_counts():
    cell = run({"baton": [sample(50, 0.9), sample(70, 0.3), sample(60, 0.5), sample(100)]}, runs=1)
    assert [each.requests_per_second for each in cell["baton"].samples] == [70]
    assert (cell["baton"].disturbed_runs, cell["baton"].still_disturbed) == (TRIES - 1, 1)


def test_repeats_stop_when_the_time_is_spent():
    cell = run({"baton": [sample(100, 0.9)]}, runs=5, extra_runs=3)["baton"]
    assert (len(cell.samples), cell.disturbed_runs, cell.still_disturbed) == (5, 3, 5)


def test_each_case_has_its_share_of_the_spare_time():
    limits = budget(extra_runs=10, must_runs=20)
    limits.begin_case(10)
    assert limits.allows(5) and not limits.allows(6)
    for _ in range(5):
        limits.done(extra=True)
    assert not limits.allows(1)
    limits.begin_case(10)
    assert limits.allows(5)


def test_the_clock_has_the_last_word():
    clock = Clock()
    limits = Budget(30, 20, 1.0, clock)
    limits.begin_case(20)
    clock.now = 9.5
    assert not limits.allows(1)


def test_a_path_that_spreads_by_itself_is_not_measured_again_for_it():
    noisy = [sample(speed) for speed in (100, 150, 200)]
    cell = run({"leastconn": [*noisy, sample(90)]}, runs=3, erratic=("leastconn",))["leastconn"]
    assert (cell.measured_again, len(cell.samples)) == (0, 3)


def test_a_part_says_which_figure_has_to_be_steady():
    even = [Sample(1000, 100, p99, 10.0, 5.0) for p99 in (200, 300, 400)]
    cell = run({"baton": [*even, Sample(1000, 100, 250, 10.0, 5.0)]}, runs=3, steady_by="p99_us")["baton"]
    assert (cell.measured_again, cell.figure("p99_us")) == (1, 250)
