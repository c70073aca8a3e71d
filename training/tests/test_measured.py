"""Forgetting measured by the training job itself: tasks, suites, R and what follows, budgets, the buffer's outside (T2)."""

import json
import os
import signal

import pytest
from conftest import Job, write_rows

from continual import measured, metrics, models, presets, suites, world
from continual.facts import Probe
from continual.generate import Request, generate

RUN = {"preset": "naive", "train": {"epochs": 8, "batch_rows": 8, "eval_steps": 8}, "params": {"first_layer": 0}}


def probes(demo_probes, capability="towns"):
    return [{"id": str(i), "test": [p.question], "answer": p.contains, "capability": capability} for i, p in enumerate(demo_probes)]


def report(job: Job) -> dict:
    inside = json.loads((job.root / "model" / "eval_report.json").read_text())
    assert inside == json.loads((job.root / "output" / "data" / "eval_report.json").read_text())
    return inside


@pytest.fixture(scope="module")
def stream(tmp_path_factory, base, tiny_demo):
    """Two updates in a row, naive, with the same suites at both."""
    folder, model, carried = tmp_path_factory.mktemp("stream"), base, None
    jobs = []
    halves = [tiny_demo.learn[:24], tiny_demo.learn[24:48]]
    for k, rows in enumerate(halves):
        job = Job(folder / str(k), model).config(**RUN).rows("train", rows).rows("replay", tiny_demo.old[:20])
        write_rows(job.channel("suites") / "general.jsonl", probes(tiny_demo.general[:40]))
        for n, half in enumerate(halves, 1):
            asked = [{"id": str(i), "test": [r["messages"][0]["content"]], "answer": r["messages"][1]["content"]} for i, r in enumerate(half)]
            write_rows(job.channel("suites") / f"new-{n}.jsonl", asked)
        if carried:
            import shutil

            shutil.copytree(carried, job.channel("cl_state"), dirs_exist_ok=True)
        assert job.run() == 0, job.failure
        jobs.append(job)
        model, carried = job.root / "model", job.root / "model" / "cl_state"
    return jobs


def test_suites_are_scored_before_and_after_with_intervals(stream):
    first = report(stream[0])
    rows = {s["name"]: s for s in first["suites"]}
    assert {n: s["kind"] for n, s in rows.items()} == {"general": "protected", "new-1": "new", "new-2": "new"}
    old, new = rows["general"], rows["new-1"]
    assert old["before"] == 1.0 and old["delta"] == pytest.approx(old["after"] - 1)
    assert old["ci95"][0] <= old["delta"] <= old["ci95"][1] and new["ci95"][0] < new["delta"] < new["ci95"][1]
    assert new["before"] < 0.5 < new["after"]


def test_r_is_square_over_the_stages_and_gives_acc_bwt_fwt_and_forgetting(stream):
    second = report(stream[1])
    r, asked = second["R"], second["over_suites"]
    assert second["names"] == ["stage-001", "stage-002"] and r[0][1] is None and r[1][1] > 0.5
    assert second["bwt"] == pytest.approx(r[1][0] - r[0][0])
    assert second["acc"] == pytest.approx(sum(r[1]) / 2) and second["forgetting"] == [pytest.approx(r[0][0] - r[1][0]), None]
    assert second["fwt"] is None  # its own rows were not asked before the stream; the suites were
    full = asked["R"]
    assert asked["names"] == ["new-1", "new-2"]
    assert {k: asked[k] for k in ("acc", "bwt", "fwt")} == {k: v for k, v in metrics.stream(full, asked["before"]).items() if k != "forgetting"}
    assert second["retention"]["before"] == 1.0 and second["retention"]["kept"] == pytest.approx(second["suites"][0]["after"])


def test_the_matrix_and_the_tasks_rows_travel_in_the_carried_state(stream):
    state = stream[1].root / "model" / "cl_state"
    stages = json.loads((state / "task_matrix.json").read_text())["stages"]
    assert [sorted(s["tasks"]) for s in stages] == [["stage-001"], ["stage-001", "stage-002"]]
    assert sorted(p.name for p in (state / "tasks").iterdir()) == ["stage-001.jsonl", "stage-002.jsonl"]


def test_the_exact_share_is_what_greedy_decoding_writes(stream):
    job = stream[0]
    loaded = models.load(job.root / "model")
    rows = [json.loads(line) for line in (job.root / "model" / "cl_state" / "tasks" / "stage-001.jsonl").read_text().splitlines()]
    requests = [Request(loaded.text.chat_ids(r["messages"][:1]), 16, stop_ids=frozenset(loaded.text.eos)) for r in rows]
    generate(loaded.model, requests)
    wrote = [loaded.text.decode(q.out).strip() == r["messages"][1]["content"] for q, r in zip(requests, rows, strict=True)]
    assert report(job)["R"][0][0] == pytest.approx(sum(wrote) / len(wrote))


def test_probes_that_the_buffer_asks_are_told_from_those_outside(tmp_path, tiny_demo):
    path = write_rows(tmp_path / "general.jsonl", probes(tiny_demo.general[:10]))

    class Held:
        def __init__(self, raw):
            self.raw = raw

    inside = [Held(world.chat(f"  {p.question.upper()} ", "x")) for p in tiny_demo.general[:3]]
    (suite,) = suites.read(path.parent, inside, 1)
    assert suite.outside == list(range(3, 10))
    suite.before = [True] * 10
    row = measured._row(suite, [True] * 5 + [False] * 5)
    assert row["outside_buffer"] == {"n": 7, "before": 1.0, "after": 2 / 7} and row["after"] == 0.5
    assert isinstance(suite.probes[0], Probe)


def test_fr_and_gr_are_relative_to_the_report_of_a_naive_run(tmp_path, stream, base, tiny_demo):
    careful = {**RUN, "preset": "safe", "train": {**RUN["train"], "epochs": 4}, "replay": {"self_generate": 0}}
    job = Job(tmp_path / "ml", base).config(**careful).rows("train", tiny_demo.learn[:24]).rows("replay", tiny_demo.old)
    for name in ("general", "new-1"):
        source = stream[0].channel("suites") / f"{name}.jsonl"
        (job.channel("suites") / source.name).write_text(source.read_text())
    naive = report(stream[0])
    naive["suites"] = [s for s in naive["suites"] if s["name"] != "new-2"]
    naive["suites"][0]["after"] = 0.5
    (job.channel("reference") / "eval_report.json").write_text(json.dumps(naive))
    assert job.run() == 0, job.failure
    got = report(job)
    rows, lost = {s["name"]: s for s in got["suites"]}, 0.5
    assert got["fr"] == pytest.approx(-rows["general"]["delta"] / lost) and got["fr"] < 1
    assert got["gr"] == pytest.approx(rows["new-1"]["delta"] / naive["suites"][1]["delta"])


def locked(job: Job, name: str, kind: str, items, **lock) -> None:
    """A benchmark in the channel `suites`, as the platform puts it there."""
    folder = job.channel("suites") / name
    write_rows(folder / "items.jsonl", items)
    (folder / "lock.json").write_text(json.dumps({"benchmark": name, "lock": f"{name}@1", "scorer": {"kind": kind}, **lock}))


def test_locked_benchmarks_are_protected_suites_scored_as_the_evaluation_scores_them(tmp_path, base, tiny_demo):
    items = [{"id": str(i), "input": p.question, "target": p.contains} for i, p in enumerate(tiny_demo.general[:80])]
    made = {}
    for name in ("naive", "safe"):
        job = made[name] = Job(tmp_path / name, base).config(preset=name, replay={"self_generate": 0}, **presets.TINY)
        job.rows("train", tiny_demo.learn).rows("replay", tiny_demo.old)
        locked(job, "general", "normalized_exact", items, decoding={"maxTokens": 6})
        locked(job, "judged", "llm_judge", items[:3], judge={"model": "m"})
        if name == "safe":
            (job.channel("reference") / "eval_report.json").write_text(json.dumps(report(made["naive"])))
        assert job.run() == 0, job.failure
    got, naive = report(made["safe"]), report(made["naive"])
    assert [(s["name"], s["kind"], s["n"]) for s in got["suites"]] == [("general", "protected", suites.ITEMS)]
    evaluated = Job(tmp_path / "ev", made["safe"].root / "model").config(job="evaluate")
    assert evaluated.bench("general", {"kind": "normalized_exact"}, items, decoding={"maxTokens": 6}).run("evaluate") == 0
    scores = {r["item"]: r["score"] for r in map(json.loads, (evaluated.root / "model" / "results.jsonl").read_text().splitlines())}
    chosen = suites.read(made["safe"].channel("suites"), [], 1)[0].probes
    assert got["suites"][0]["after"] == pytest.approx(sum(scores[i.raw["id"]] for i in chosen) / len(chosen))
    lost = naive["suites"][0]["before"] - naive["suites"][0]["after"]
    assert got["fr"] == pytest.approx(-got["suites"][0]["delta"] / lost) and got["fr"] < 0.5 and naive["fr"] is None
    assert got["gr"] == pytest.approx(got["learned"]["after"] / naive["learned"]["after"], abs=0.05) and got["gr"] > 0.9


def test_a_sigterm_while_suites_are_asked_ends_the_job_and_it_goes_on(tmp_path, base, tiny_demo, monkeypatch):
    job = Job(tmp_path / "ml", base).config(**RUN).rows("train", tiny_demo.learn[:8])
    write_rows(job.channel("suites") / "a.jsonl", probes(tiny_demo.general[:4]))
    write_rows(job.channel("suites") / "b.jsonl", probes(tiny_demo.general[4:8]))
    with monkeypatch.context() as patch:
        asked = []
        answers = suites.ask.answers
        patch.setattr(suites.ask, "answers", lambda *a: (asked.append(1), len(asked) == 1 and os.kill(os.getpid(), signal.SIGTERM), answers(*a))[2])
        assert job.run() == 143 and len(asked) == 1
    assert job.run() == 0


def test_a_protected_suite_that_falls_stops_the_run_and_the_best_checkpoint_is_what_is_written(tmp_path, base, tiny_demo):
    sections = {**RUN, "train": {"epochs": 30, "eval_steps": 2, "lr": 2e-3}, "stop": {"suite_drop": 0.3, "patience": 2}}
    job = Job(tmp_path / "ml", base).config(**sections).rows("train", tiny_demo.poison[:60])
    write_rows(job.channel("suites") / "general.jsonl", probes(tiny_demo.general[:40]))
    assert job.run() == 0, job.failure
    got, m = report(job), job.manifest["metrics"]
    assert m["stopped_early"] and got["stopped_early"] and m["steps"] < len(job.history())
    assert [h["suite_drop"] for h in job.history() if "suite_drop" in h][-2:] > [0.3, 0.3]
    assert got["suites"][0]["delta"] >= -0.3


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "holds no line"), ('{"id": "1", "test": ["a"]}', "general.jsonl:1: needs `answer`"), ("{", "general.jsonl:1: not valid JSON")],
)
def test_faulty_suites_are_refused_by_place(text, says, tmp_path, raw_base, tiny_demo):
    job = Job(tmp_path / "ml", raw_base).config(**RUN).rows("train", tiny_demo.learn[:4])
    (job.channel("suites") / "general.jsonl").write_text(text)
    assert job.run() == 3 and says in job.failure
