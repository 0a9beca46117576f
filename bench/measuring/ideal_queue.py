"""What nobody can do better than without knowing the future: one queue, first come first served."""

import heapq

from .open_loop import Arrival


def waiting_and_service(arrivals: list[Arrival], services: list[float], servers: int) -> list[float]:
    """How long each arrival is there, in seconds: a G/G/servers queue, simulated.

    Whoever comes waits in one line; the server that is free first takes the first. Dispatching takes
    no time.

    @param arrivals  in order of time
    @param services  how long a server has each of them
    """
    free = [0.0] * servers  # when each server is free; a heap
    stays = []
    for arrival, service in zip(arrivals, services, strict=True):
        end = max(arrival.at, free[0]) + service
        heapq.heapreplace(free, end)
        stays.append(end - arrival.at)
    return stays
