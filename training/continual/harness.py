"""Standard suites through lm-evaluation-harness (B1): its tasks, prompts, filters and metrics on our model, a line an item.

A benchmark of scorer kind `harness` names a task of the library (`params.task: arc_easy`) or a task file beside its lock
(`params.task: task.yaml`). A file is data from outside: it is read by a plain YAML reader and checked by `taskfile` before
the library sees it, and its templates run in Jinja's sandbox. The library is in requirements-extra; only this module needs it.
"""

import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from continual import bench, locks, taskfile
from continual.errors import ConfigError, JobError
from continual.harness_model import Model

FEWSHOT_SEED = 1234  # the library's own default


@dataclass
class Doc:
    """One document of a task and the requests that score it."""

    task: Any
    doc: dict[str, Any]
    instances: list[Any]


class Suite:
    """The tasks of one benchmark, ready to run item by item."""

    def __init__(self, b: bench.Benchmark, folder: Path, loaded: Any, cfg: Any):
        check_version(b)
        self.b, self.model = b, Model(loaded, cfg)
        self.docs: dict[str, Doc] = {}
        tasks = load(b.params["task"], folder)
        for name, task in sorted(tasks.items()):
            self._open(name, task, prefix=f"{name}/" if len(tasks) > 1 else "")
        b.items = [bench.Item({"id": k, "capability": b.params.get("capability") or ""}, b) for k in self.docs]
        if not b.items:
            raise ConfigError(f"{b.name}: the task {b.params['task']} has no document")

    def _open(self, name: str, task: Any, prefix: str) -> None:
        """Build all requests of a task at once: few-shot examples then depend on nothing but the seed."""
        if getattr(task, "UNSAFE_CODE", False):
            raise ConfigError(f"{self.b.name}: the task {name} runs code that the model writes; that is not done here")
        if task.get_config("num_fewshot") is None:
            task.set_config(key="num_fewshot", value=0)
        task.set_fewshot_seed(seed=FEWSHOT_SEED)
        random.seed(0)
        chat = bool(self.b.prompt.get("chat"))
        task.build_all_requests(
            rank=0,
            world_size=1,
            apply_chat_template=chat,
            fewshot_as_multiturn=chat,
            chat_template=self.model.apply_chat_template if chat else None,
            tokenizer_name=self.model.tokenizer_name if chat else "",
            system_instruction=self.b.prompt.get("system"),
        )
        by_doc: dict[int, list[Any]] = defaultdict(list)
        for instance in task.instances:
            by_doc[instance.doc_id].append(instance)
        for number, doc in task.doc_iterator(rank=0, limit=None, world_size=1):
            requests = sorted(by_doc[number], key=lambda i: i.idx)
            key = str(doc["id"]) if isinstance(doc.get("id"), (str, int)) else str(number)
            if prefix + key in self.docs:
                key = f"{key}#{number}"
            self.docs[prefix + key] = Doc(task, doc, requests)

    def run(self, items: list[bench.Item]) -> list[dict[str, Any]]:
        """A result per item: score by the chosen metric, all metrics, prompt, output, log-likelihoods."""
        docs = [self.docs[i.raw["id"]] for i in items]
        by_kind: dict[str, list[Any]] = defaultdict(list)
        for d in docs:
            for instance in d.instances:
                instance.resps.clear()
                instance.filtered_resps.clear()
                by_kind[instance.request_type].append(instance)
        for kind, instances in by_kind.items():
            repeated = [i for i in instances for _ in range(i.repeats or 1)]
            for instance, answer in zip(repeated, getattr(self.model, kind)(repeated), strict=True):
                instance.resps.append(answer)
        for d in docs:
            for f in d.task._filters:
                f.apply(d.instances)
        return [self._result(d) for d in docs]

    def _result(self, d: Doc) -> dict[str, Any]:
        wanted = self.b.params.get("filter") or next(iter(d.instances[0].filtered_resps))
        if wanted not in d.instances[0].filtered_resps:
            raise ConfigError(f"scorer.params.filter: the task has {', '.join(d.instances[0].filtered_resps)}; not {wanted}")
        metrics = d.task.process_results(d.doc, [i.filtered_resps[wanted] for i in d.instances])
        shown = d.instances[0]
        result = {
            "score": self._score(d.task, metrics),
            "prompt": str(shown.args[0]),
            "tokens": sum(self.model.tokens.pop(id(i), 0) for i in d.instances),
            "metrics": {k: round(float(v), 6) for k, v in metrics.items() if _is_number(v)},
        }
        if shown.request_type == "loglikelihood":
            scores = [i.resps[0][0] for i in d.instances]
            best = max(range(len(scores)), key=lambda k: scores[k])
            return {**result, "output": d.instances[best].args[1].strip(), "logprobs": [round(s, 5) for s in scores]}
        return {**result, "output": str(shown.resps[0])[: self.model.cfg.max_output_chars]}

    def _score(self, task: Any, metrics: dict[str, Any]) -> float:
        """The lock's metric, or the task's first one; a metric where less is better counts as 1 - value."""
        name = self.b.params.get("metric") or next(iter(metrics), "")
        value = metrics.get(name)
        if not _is_number(value) or not 0 <= float(value) <= 1:
            fit = ", ".join(k for k, v in metrics.items() if _is_number(v) and 0 <= float(v) <= 1) or "none"
            raise ConfigError(f"scorer.params.metric: {name!r} is no share of a single item; metrics that are: {fit}")
        return float(value) if task.higher_is_better().get(name, True) else 1 - float(value)


def _is_number(value: Any) -> bool:
    import numpy as np

    return isinstance(value, (int, float, bool, np.number)) and value == value


def check_version(b: bench.Benchmark) -> None:
    """Another version may prompt and score otherwise: it is refused, not used."""
    wanted, have = b.params.get("version"), locks.installed()
    if wanted and wanted != have:
        raise ConfigError(f"{b.name}: locked to {wanted}, installed is {have}; scores of two versions cannot be compared")


def load(task: str, folder: Path) -> dict[str, Any]:
    """Task objects by name: of a checked task file, or of the library (whose data comes from the hub or its cache)."""
    from lm_eval.tasks import TaskManager

    sandbox_templates()
    if task.endswith((".yaml", ".yml")):
        manager, spec = TaskManager(include_defaults=False), taskfile.read(folder / task)
        taskfile.check_names(spec, folder / task)
    else:
        manager, spec = TaskManager(), task
    try:
        return dict(manager.load([spec])["tasks"])
    except (OSError, KeyError, ValueError, TypeError, AttributeError, ImportError) as e:
        reason = " ".join(str(e).split())[:300]
        raise JobError(f"harness: the task {task} cannot be opened ({type(e).__name__}: {reason}); check its name, its data and the network") from e


def sandbox_templates() -> None:
    """Task templates are text from outside: the library's plain Jinja environment is replaced by the sandbox."""
    from jinja2 import BaseLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment
    from lm_eval import utils

    if isinstance(utils.env, ImmutableSandboxedEnvironment):
        return
    env = ImmutableSandboxedEnvironment(loader=BaseLoader(), undefined=StrictUndefined, keep_trailing_newline=True)
    env.filters["regex_replace"] = utils.regex_replace
    utils.env = env
