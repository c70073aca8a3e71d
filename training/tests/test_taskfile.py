"""Task files of lm-evaluation-harness from outside: an imported one cannot run code (B1)."""

import pytest

from continual import taskfile
from continual.errors import DataError

GOOD = """
task: colors
dataset_path: json
dataset_kwargs: {data_files: {test: data.jsonl}}
test_split: test
output_type: multiple_choice
doc_to_text: "{{question}}"
doc_to_target: answer
doc_to_choice: choices
metric_list: [{metric: acc}, {metric: acc_norm}]
"""


def read(folder, text):
    (folder / "data.jsonl").write_text('{"question": "a", "choices": ["b", "c"], "answer": 0}\n')
    (folder / "task.yaml").write_text(text)
    return taskfile.read(folder / "task.yaml")


def test_a_declarative_task_is_read_with_its_data_beside_it(tmp_path):
    task = read(tmp_path, GOOD)
    assert task["dataset_kwargs"] == {"data_files": {"test": [str(tmp_path / "data.jsonl")]}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("process_docs: !function utils.process_docs", "tags such as !function name code"),
        ("doc_to_text: !function os.system", "tags such as !function name code"),
        ("x: !!python/object/apply:os.system ['touch owned']", "tags such as !function name code"),
        ("x: !!python/name:os.system ''", "tags such as !function name code"),
        ("class: os.system", "class: is not taken"),
        ("include: other.yaml", "include: is not taken"),
        ("process_results: utils.run", "process_results: is not taken"),
        ("custom_dataset: utils.run", "custom_dataset: is not taken"),
        ("unsafe_code: true", "unsafe_code: is not taken"),
        ("use_prompt: promptsource:all", "use_prompt: is not taken"),
        ("doc_to_image: x", "doc_to_image: is not taken"),
        ("doc_to_text: [a]", "doc_to_text: must be text"),
        ("dataset_path: ./loader.py", "dataset_path: must be one of"),
        ("dataset_path: acme/data", "dataset_path: must be one of"),
        ("dataset_kwargs: {data_files: data.jsonl, trust_remote_code: true}", "dataset_kwargs: must hold data_files and nothing else"),
        ("dataset_kwargs: {data_files: /etc/passwd}", "must be a file in the task's folder"),
        ("dataset_kwargs: {data_files: ../secret.jsonl}", "must be a file in the task's folder"),
        ("dataset_kwargs: {data_files: 'https://example.org/data.jsonl'}", "must be a file in the task's folder"),
        ("output_type: shell", "output_type: must be one of"),
        ("fewshot_config: {process_docs: utils.run}", "fewshot_config: may hold"),
        ("doc_to_target:", "doc_to_target: is required"),
    ],
)
def test_what_names_code_or_reaches_outside_is_refused(change, says, tmp_path):
    key = change.split(":")[0]
    kept = "\n".join(line for line in GOOD.splitlines() if not line.startswith(f"{key}:"))
    with pytest.raises(DataError, match=r"task\.yaml: ") as caught:
        read(tmp_path, f"{kept}\n{change}\n")
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "[1]", "a: [", "\x00", "a: &a [*a]\n", "task: " + "x" * (1 << 20)])
def test_what_is_no_task_is_refused(text, tmp_path):
    with pytest.raises(DataError, match=r"task\.yaml"):
        read(tmp_path, text)


def test_without_the_library_it_is_said_how_to_get_it(job, monkeypatch):
    import importlib.metadata

    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    from continual import locks

    with pytest.raises(Exception, match=r"lm-eval is not installed; run training/setup.sh VENV --extra"):
        locks.installed()
