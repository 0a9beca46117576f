"""Who is blamed for a failure, and when nobody was killed at all."""

from measuring import kills
from measuring.kills import LOADS, Kill, Round


def counts(**more) -> dict[str, int]:
    return {"requests": 100, "failed": 0, "complete": 100} | more


def rounds(**last) -> list[Round]:
    return [Round(load, [Kill(0.5, "outside")], counts()) for load in LOADS[:-1]] + [
        Round(LOADS[-1], [Kill(0.5, "outside"), Kill(1.5, "answered")], counts(**last))]


def test_no_failure_meets_the_goal():
    found = kills.findings(rounds())
    assert (found.rows[0].baton, found.rows[0].met) == (0, True)


def test_one_failure_misses_it():
    found = kills.findings(rounds(failed=1, no_answer=1))
    assert (found.rows[0].baton, found.rows[0].met) == (1, False)
    assert "1 no answer" in found.sections[0].text


def test_without_kills_nothing_was_measured():
    found = kills.findings([Round(load, [], counts()) for load in LOADS])
    assert found.rows[0].met is None
    assert "only 0" in found.rows[0].unmeasured


def test_a_failure_is_put_down_to_the_last_kill_before_it():
    done = Round(LOADS[0], [Kill(0.5, "outside"), Kill(1.5, "answered")], counts(failed=3),
                 ["after 0.5100 s: no_answer on connection 3, its request 7",
                  "after 1.5020 s: no_answer on connection 3, its request 9",
                  "after 1.4800 s: no_answer on connection 4, its request 9", "something else"])
    assert done.blamed() == {"outside": 1, "answered": 1, "no kill": 1}
