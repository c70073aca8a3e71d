"""Rows are shared among threads, and nobody can tell from the results how many there were (T1)."""

import threading

import pytest
import torch
from conftest import Job

from continual import lora, workers
from continual.gradient import TOKENS, cut
from continual.text import Row

CPU = torch.device("cpu")


def test_items_run_side_by_side_and_answer_in_order(threads):
    threads(2)
    both = threading.Barrier(2, timeout=30)  # passed only by two that run at once

    def work(n: int) -> tuple[int, int, bool]:
        both.wait()
        return n, torch.get_num_threads(), torch.is_grad_enabled()

    with torch.no_grad():
        assert workers.each(work, [3, 1], CPU) == [(3, 1, False), (1, 1, False)]
    assert torch.get_num_threads() == 2


def test_work_inside_of_work_and_work_for_one_thread_is_a_plain_loop(threads):
    threads(2)

    def names(_: int) -> set[str]:
        return set(workers.each(lambda _: threading.current_thread().name, [1, 2, 3], CPU))

    assert all(len(inner) == 1 for inner in workers.each(names, [1, 2], CPU))
    threads(1)
    assert names(0) == {threading.current_thread().name}


def test_what_one_item_raises_is_raised(threads):
    threads(2)
    with pytest.raises(ZeroDivisionError):
        workers.each(lambda n: 1 // n, [1, 0, 2], CPU)


def test_the_previous_model_is_asked_by_one_thread_alone(threads):
    threads(2)
    layer = lora.LoraLinear(torch.nn.Linear(4, 4, bias=False), 2, 2)
    torch.nn.init.ones_(layer.lora_B)
    x, both = torch.ones(1, 4), threading.Barrier(2, timeout=30)

    def ask(previous: bool) -> torch.Tensor:
        if not previous:
            both.wait()
            return layer(x).detach()
        with lora.disabled():
            both.wait()
            return layer(x).detach()

    before, now = workers.each(ask, [True, False], CPU)
    assert torch.equal(before, layer.base(x)) and not torch.allclose(before, now)


def row(n: int) -> Row:
    return Row(list(range(n)), [True] * n)


def test_parts_hold_every_row_once_and_about_as_many_tokens():
    new, old = [row(n) for n in (30, 90, 40)], [row(n) for n in range(20, 160, 10)]
    parts = cut(new, old)
    assert sorted(map(id, (r for p in parts for r in p.new))) == sorted(map(id, new))
    assert sorted(map(id, (r for p in parts for r in p.old))) == sorted(map(id, old))
    sizes = [sum(map(len, p.new + p.old)) for p in parts]
    assert len(parts) == 2 * (sum(sizes) // TOKENS) and max(sizes) - min(sizes) <= 30
    assert [p.first for p in parts] == [True] + [False] * (len(parts) - 1)
    assert len(cut([row(5)], [])) == 1


def test_one_thread_and_two_train_the_same_adapters_bit_for_bit(tmp_path, base, tiny_demo):
    made = []
    for threads in (1, 2):
        job = Job(tmp_path / str(threads), base).config(train={"max_steps": 6, "threads": threads}, replay={"holdout": 8})
        assert job.rows("train", tiny_demo.learn[:24]).rows("replay", tiny_demo.old[:40]).run() == 0, job.failure
        made.append((job.root / "model" / "model.safetensors").read_bytes())
    assert made[0] == made[1]


def test_without_room_for_what_is_kept_of_rows_the_same_is_trained(tmp_path, base, tiny_demo, monkeypatch):
    made = []
    for room in (2**30, 20_000):
        monkeypatch.setattr("continual.forward.CACHE_BYTES", room)
        job = Job(tmp_path / str(room), base).config(train={"max_steps": 4}, params={"first_layer": 0.5}, replay={"holdout": 0})
        assert job.rows("train", tiny_demo.learn[:24]).rows("replay", tiny_demo.old[:40]).run() == 0, job.failure
        made.append((job.root / "model" / "model.safetensors").read_bytes())
    assert made[0] == made[1]
