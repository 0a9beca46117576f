"""The ideal queue against examples that a person can follow."""

import random
import statistics

import pytest

from measuring.ideal_queue import waiting_and_service
from measuring.open_loop import Arrival, poisson


def stays(times: list[float], services: list[float], servers: int) -> list[float]:
    return waiting_and_service([Arrival(at, 0) for at in times], services, servers)


def test_whoever_finds_a_free_server_only_takes_its_service():
    assert stays([0, 10, 20], [1, 2, 3], 1) == [1, 2, 3]
    assert stays([0, 0, 0], [1, 2, 3], 3) == [1, 2, 3]


def test_whoever_finds_all_busy_waits_for_the_first_to_end():
    # The server is busy until 5; the second begins then, the third after it.
    assert stays([0, 1, 2], [5, 1, 1], 1) == [5, 5, 5]
    # Two servers, busy until 10 and 2: the third begins at 2, the fourth at 3.
    assert stays([0, 0, 1, 1], [10, 2, 1, 1], 2) == [10, 2, 2, 3]


def test_first_come_is_first_served_even_if_that_is_the_longer_one():
    assert stays([0, 1, 2], [4, 10, 1], 1) == [4, 13, 13]


def test_a_server_that_was_idle_does_not_begin_in_the_past():
    assert stays([0, 100], [1, 1], 1) == [1, 1]


def test_one_server_with_exponential_services_waits_as_long_as_the_book_says():
    """M/M/1 at 50 % load: 1 / (rate of service - rate of arrival), twice the service."""
    arrivals = poisson(50, 400, 1, ((1.0, 0.0),))
    dice = random.Random(2)
    services = [dice.expovariate(100) for _ in arrivals]
    assert statistics.mean(waiting_and_service(arrivals, services, 1)) == pytest.approx(0.02, rel=0.1)


def test_each_arrival_needs_a_service():
    with pytest.raises(ValueError):
        stays([0, 1], [1], 1)
