"""The parts of the benchmark, in the order in which they are measured and shown."""

from .engine_decision import EngineDecision
from .first_request import FirstRequest
from .idle import Idle
from .kills import Kills
from .part import Part
from .revocation import Revocation
from .throughput import Throughput
from .throughput_cases import PARTS as THROUGHPUT_PARTS
from .uneven import Uneven
from .unmodified import Unmodified

SINGLE = {part.name: part
          for part in (Uneven, Kills, Idle, FirstRequest, Revocation, Unmodified, EngineDecision)}
NAMES = (*THROUGHPUT_PARTS, *SINGLE)


def chosen(names: list[str], sizes: list[str], paths: list[str]) -> list[Part]:
    """@param sizes, paths  of the closed loops"""
    closed = [name for name in names if name in THROUGHPUT_PARTS]
    return ([Throughput(closed, sizes, paths)] if closed else []) + [
        part() for name, part in SINGLE.items() if name in names]
