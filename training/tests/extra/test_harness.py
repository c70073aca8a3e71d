"""Tasks of lm-evaluation-harness on our model: its own numbers, our result lines, and no code of an imported file (B1)."""

import json
import sys

import pytest
from conftest import Job, write_rows

from continual import contract, evaluate_job
from continual.__main__ import main

CHOICE = """
task: towns
dataset_path: json
dataset_kwargs: {data_files: {test: data.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}\\nAnswer:"
doc_to_target: "{{choices.index(answer)}}"
doc_to_choice: choices
num_fewshot: 2
fewshot_split: test
metric_list: [{metric: acc}, {metric: acc_norm}, {metric: acc_bytes}]
"""
WRITTEN = """
task: written
dataset_path: json
dataset_kwargs: {data_files: {test: data.jsonl}}
test_split: test
output_type: generate_until
doc_to_text: "{{question}}"
doc_to_target: "{{answer}}"
generation_kwargs: {until: ["."], max_gen_toks: 8}
filter_list: [{name: first, filter: [{function: regex, regex_pattern: "([A-Za-z]+)"}, {function: take_first}]}]
metric_list: [{metric: exact_match, ignore_case: true}]
"""


@pytest.fixture
def folder(tmp_path, tiny_demo):
    right = [p.contains for p in tiny_demo.general[:40]]
    rows = [
        {"id": f"q{i}", "question": p.question, "answer": p.contains, "choices": [right[(i + 7) % 40], p.contains, "green and blue"][:: (-1) ** i]}
        for i, p in enumerate(tiny_demo.general[:12])
    ]
    write_rows(tmp_path / "task" / "data.jsonl", rows)
    (tmp_path / "task" / "towns.yaml").write_text(CHOICE)
    (tmp_path / "task" / "written.yaml").write_text(WRITTEN)
    return tmp_path / "task"


def ours(base, out, task, *more):
    assert main(["evaluate", "--model", str(base), "--benchmark", str(task), "--out", str(out), *more]) == 0
    return [json.loads(line) for line in (out / "model" / "results.jsonl").read_text().splitlines()]


def theirs(base, task):
    """The library's own evaluation of the same folder by its own transformers model."""
    import lm_eval
    from lm_eval.models.huggingface import HFLM

    from continual import taskfile

    model = HFLM(pretrained=str(base), device="cpu", dtype="float32", batch_size=1)
    done = lm_eval.simple_evaluate(model, tasks=[taskfile.read(task)], bootstrap_iters=0)
    return next(iter(done["samples"].values()))


def test_choices_have_the_librarys_numbers(base, folder, tmp_path):
    got, want = ours(base, tmp_path / "out", folder / "towns.yaml"), theirs(base, folder / "towns.yaml")
    assert [r["item"] for r in got] == [s["doc"]["id"] for s in want] and len(got) == 12
    for r, s in zip(got, want, strict=True):
        assert r["logprobs"] == pytest.approx([float(x[0]) for x in s["filtered_resps"]], abs=1e-3)
        assert r["metrics"] == {k: s[k] for k in ("acc", "acc_norm", "acc_bytes")}
        assert r["prompt"] == s["arguments"][0][0] and r["score"] == s["acc"]
        assert r["lock"].startswith("lm-eval/0.4.13:sha256:") and r["tokens"] > 0


def test_written_answers_have_the_librarys_numbers(base, folder, tmp_path):
    got, want = ours(base, tmp_path / "out", folder / "written.yaml"), theirs(base, folder / "written.yaml")
    assert [r["output"] for r in got] == [s["resps"][0][0] for s in want]
    assert [r["score"] for r in got] == [s["exact_match"] for s in want]


def test_our_choice_items_have_the_librarys_log_likelihoods(base, folder, tmp_path):
    (folder / "towns.yaml").write_text(CHOICE.replace("num_fewshot: 2", "num_fewshot: 0"))
    want = theirs(base, folder / "towns.yaml")
    items = [{"id": s["doc"]["id"], "input": s["arguments"][0][0], "choices": s["doc"]["choices"], "target": s["doc"]["answer"]} for s in want]
    for metric in ("acc", "acc_norm", "acc_bytes"):
        job = Job(tmp_path / metric, base).config(job="evaluate")
        job.bench("towns", {"kind": "choice", "params": {"metric": metric}}, items, prompt={"chat": False})
        assert job.run("evaluate") == 0
        got = [json.loads(line) for line in (job.root / "model" / "results.jsonl").read_text().splitlines()]
        assert [r["score"] for r in got] == [s[metric] for s in want]
        for r, s in zip(got, want, strict=True):
            assert r["logprobs"] == pytest.approx([float(x[0]) for x in s["filtered_resps"]], abs=1e-3)


def test_a_stopped_evaluation_goes_on_at_the_next_item_with_the_same_prompts(base, folder, tmp_path):
    whole = ours(base, tmp_path / "whole", folder / "towns.yaml")
    out = tmp_path / "parts"
    job = Job(out, base).config(job="evaluate", batch=4)
    from continual import locks

    locks.task_file(folder / "towns.yaml", job.channel("benchmark"))

    class StopAfterOne:
        left = 1

        def __bool__(self):
            self.left -= 1
            return self.left < 0

    assert contract.run_job(lambda root, _: evaluate_job.evaluate(root, StopAfterOne()), contract.Root(job.root)) == 143
    assert len((job.root / "checkpoints" / "results.jsonl").read_text().splitlines()) == 8  # two batches, one a thread
    assert job.run("evaluate") == 0
    parts = [json.loads(line) for line in (job.root / "model" / "results.jsonl").read_text().splitlines()]
    assert [{k: v for k, v in r.items() if k != "latencyMs"} for r in parts] == [{k: v for k, v in r.items() if k != "latencyMs"} for r in whole]


TRICKS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.system('touch owned') }}",
    "{{ question.__class__.__init__.__globals__ }}",
    "{% for i in range(1000000000) %}x{% endfor %}",
]


@pytest.mark.parametrize("trick", TRICKS)
def test_a_template_of_an_imported_task_cannot_run_code(trick, base, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / "towns.yaml").write_text(CHOICE.replace('"{{question}}\\nAnswer:"', json.dumps(trick)))
    assert main(["evaluate", "--model", str(base), "--benchmark", str(folder / "towns.yaml"), "--out", str(tmp_path / "o")]) in (2, 3, 4)
    assert not (tmp_path / "owned").exists() and (tmp_path / "o" / "output" / "failure").read_text().strip()


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("metric_list", [{"metric": "./evil.py"}], "metric_list.metric: './evil.py' is not one of"),
        ("metric_list", [{"metric": "acc", "aggregation": "evil"}], "metric_list.aggregation: 'evil' is not one of"),
        ("metric_list", [{"metric": "acc", "hf_evaluate": True}], "would run a script from the hub"),
        ("filter_list", [{"name": "x", "filter": [{"function": "custom", "filter_fn": "os.system"}]}], "the filter custom is code"),
        ("filter_list", [{"name": "x", "filter": [{"function": "evil"}]}], "filter.function: 'evil' is not one of"),
        ("filter_list", "x", "filter_list: must be a list of mappings"),
    ],
)
def test_names_that_the_library_would_fetch_as_scripts_are_refused(key, value, says, base, folder, tmp_path):
    kept = "\n".join(line for line in CHOICE.splitlines() if not line.startswith(key))
    (folder / "towns.yaml").write_text(f"{kept}\n{key}: {json.dumps(value)}\n")
    assert main(["evaluate", "--model", str(base), "--benchmark", str(folder / "towns.yaml"), "--out", str(tmp_path / "o")]) == 3
    assert says in (tmp_path / "o" / "output" / "failure").read_text() and "evil" not in sys.modules


def test_another_version_than_the_locked_one_is_refused(base, folder, tmp_path):
    from continual import locks

    job = Job(tmp_path / "ml", base).config(job="evaluate")
    locks.task_file(folder / "towns.yaml", job.channel("benchmark"))
    path = job.channel("benchmark") / "towns" / "lock.json"
    path.write_text(path.read_text().replace("0.4.13", "0.4.9"))
    assert job.run("evaluate") == 2 and "locked to lm-eval/0.4.9, installed is lm-eval/0.4.13" in job.failure


def test_a_task_whose_data_needs_the_network_says_so(base, tmp_path):
    assert main(["evaluate", "--model", str(base), "--benchmark", "lm-eval:arc_easy", "--out", str(tmp_path / "o")]) == 4
    assert "the task arc_easy cannot be opened" in (tmp_path / "o" / "output" / "failure").read_text()
