"""A server decodes with all threads or with one, whichever is faster now."""

import torch

from continual.pace import EVERY, TRIED, Pace


def used(seconds: dict[int, float], steps: int) -> list[int]:
    """The threads of each step where a step with n threads takes seconds[n]."""
    now, out = [0.0], []
    pace = Pace(lambda: now[0])

    def step() -> None:
        out.append(torch.get_num_threads())
        now[0] += seconds[out[-1]]

    for _ in range(steps):
        pace.run(step)
    return out


def test_all_threads_decode_on_a_quiet_machine(threads):
    threads(4)
    assert set(used({4: 1.0, 1: 2.0}, EVERY)[2 * TRIED :]) == {4}


def test_a_long_first_step_with_all_threads_does_not_decide(threads):
    threads(4)
    now, out, first = [0.0], [], []

    def step() -> None:
        out.append(torch.get_num_threads())
        now[0] += 1.0 if out[-1] == 1 else 0.6 if first else 3.0
        first.append(True)

    pace = Pace(lambda: now[0])
    for _ in range(EVERY):
        pace.run(step)
    assert set(out[2 * TRIED :]) == {4}


def test_one_thread_decodes_where_others_are_busy_until_they_are_not(threads):
    threads(4)
    counts = used({4: 3.0, 1: 2.0}, EVERY + 2 * TRIED)
    assert set(counts[2 * TRIED : EVERY]) == {1}
    assert counts[EVERY:] == [4] * TRIED + [1] * TRIED, "it is tried again"


def test_a_machine_with_one_core_tries_nothing():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert set(used({1: 1.0}, 20)) == {1}
    finally:
        torch.set_num_threads(before)
