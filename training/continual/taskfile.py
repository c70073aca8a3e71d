"""Task files of lm-evaluation-harness from outside: read as plain data and checked, so that none can run code.

The library itself would import functions (`!function`, `class`, `include`), fetch metric scripts and data builders by name,
and render templates without a sandbox.
"""

from pathlib import Path
from typing import Any

from continual.errors import DataError

MAX_BYTES = 1 << 20
TEXTS = ("doc_to_text", "doc_to_target", "description", "target_delimiter", "fewshot_delimiter", "gen_prefix", "output_type")
TEXTS += ("task", "dataset_path", "dataset_name", "training_split", "validation_split", "test_split", "fewshot_split", "task_alias")
OTHERS = ("doc_to_choice", "dataset_kwargs", "num_fewshot", "metric_list", "generation_kwargs", "repeats", "filter_list", "metadata")
OTHERS += ("tag", "should_decontaminate", "doc_to_decontamination_query", "fewshot_config")
BUILDERS = ("json", "csv", "parquet", "text")
OUTPUTS = ("multiple_choice", "generate_until", "loglikelihood", "loglikelihood_rolling")


def read(path: Path) -> dict[str, Any]:
    """The checked task, its data files as absolute paths; DataError names the key and what is legal."""
    import yaml

    try:
        raw = path.read_bytes()
        task = yaml.safe_load(raw) if len(raw) <= MAX_BYTES else None
    except OSError as e:
        raise DataError(f"{path.name}: {e.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as e:
        reason = " ".join(str(e).split())[:300]
        raise DataError(f"{path.name}: not plain YAML ({reason}); tags such as !function name code, and an imported task runs none") from None
    if not isinstance(task, dict):
        raise DataError(f"{path.name}: must be a mapping of at most {MAX_BYTES} bytes")
    _check_keys(task, path.name)
    return {**task, "dataset_kwargs": {"data_files": _data_files(task, path)}}


def _check_keys(task: dict[str, Any], name: str) -> None:
    for key, value in task.items():
        if key not in TEXTS and key not in OTHERS:
            raise DataError(f"{name}: {key}: is not taken from an imported task; legal: {', '.join(sorted((*TEXTS, *OTHERS)))}")
        if key in TEXTS and not isinstance(value, (str, int, type(None))):
            raise DataError(f"{name}: {key}: must be text")
    for key in ("task", "dataset_path", "doc_to_text", "doc_to_target", "output_type"):
        if task.get(key) in (None, ""):
            raise DataError(f"{name}: {key}: is required")
    if task["output_type"] not in OUTPUTS:
        raise DataError(f"{name}: output_type: must be one of {', '.join(OUTPUTS)}")
    if task["dataset_path"] not in BUILDERS:
        raise DataError(f"{name}: dataset_path: must be one of {', '.join(BUILDERS)} with dataset_kwargs.data_files beside the task file")
    few = task.get("fewshot_config")
    if few is not None and (not isinstance(few, dict) or set(few) - {"sampler", "split", "fewshot_indices", "samples"}):
        raise DataError(f"{name}: fewshot_config: may hold sampler, split, fewshot_indices and samples")


def _data_files(task: dict[str, Any], path: Path) -> dict[str, list[str]]:
    """Files by split; each lies in the task's own folder."""
    kwargs = task.get("dataset_kwargs")
    files = kwargs.get("data_files") if isinstance(kwargs, dict) else None
    if not files or set(kwargs) - {"data_files"}:
        raise DataError(f"{path.name}: dataset_kwargs: must hold data_files and nothing else")
    by_split = files if isinstance(files, dict) else {"train": files}
    return {str(s): [_inside(f, path) for f in (v if isinstance(v, list) else [v])] for s, v in by_split.items()}


def _inside(name: Any, path: Path) -> str:
    folder = path.parent.resolve()
    found = (folder / str(name)).resolve()
    if "://" in str(name) or not found.is_relative_to(folder) or not found.is_file():
        raise DataError(f"{path.name}: dataset_kwargs.data_files: {name} must be a file in the task's folder")
    return str(found)


def check_names(task: dict[str, Any], path: Path) -> None:
    """Metrics, aggregations and filters must be the library's own: another name would be fetched as a script and run."""
    import lm_eval.api.metrics  # noqa: F401  fills the registries
    from lm_eval.api.registry import filter_registry, metric_agg_registry, metric_registry

    for entry in _dicts(task.get("metric_list"), "metric_list", path):
        _known(entry.get("metric"), metric_registry, f"{path.name}: metric_list.metric")
        if "aggregation" in entry:
            _known(entry["aggregation"], metric_agg_registry, f"{path.name}: metric_list.aggregation")
        if entry.get("hf_evaluate"):
            raise DataError(f"{path.name}: metric_list.hf_evaluate: would run a script from the hub; choose a metric of the library")
    for pipeline in _dicts(task.get("filter_list"), "filter_list", path):
        for step in _dicts(pipeline.get("filter"), "filter_list.filter", path):
            if step.get("function") == "custom":
                raise DataError(f"{path.name}: filter_list: the filter custom is code")
            _known(step.get("function"), filter_registry, f"{path.name}: filter_list.filter.function")


def _dicts(value: Any, key: str, path: Path) -> list[dict[str, Any]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise DataError(f"{path.name}: {key}: must be a list of mappings")
    return value


def _known(name: Any, registry: Any, where: str) -> None:
    if not isinstance(name, str) or name not in registry:
        raise DataError(f"{where}: {name!r} is not one of the library's: {', '.join(sorted(map(str, registry)))}")
