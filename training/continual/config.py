"""run.json and eval.json: checked against the JSON Schema that Go reads too, expanded by the preset, then typed.

Order of precedence: hyperparameters (dotted names, SageMaker's strings) > run.json sections > preset > schema defaults.
"""

import copy
import functools
import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from continual import presets, schema
from continual.contract import Root, read_json
from continual.errors import ConfigError

CONTRACT = Path(__file__).resolve().parent.parent / "contract"


@functools.cache
def schema_of(job: str) -> dict[str, Any]:
    """The JSON Schema of `train` or `evaluate` configurations."""
    return json.loads((CONTRACT / f"{'run' if job == 'train' else 'eval'}.schema.json").read_text())


class Config(SimpleNamespace):
    """Typed sections by attribute (`config.train.lr`) and the plain document in `raw`."""

    raw: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Digest of the expanded configuration."""
        return hashlib.sha256(json.dumps(self.raw, sort_keys=True).encode()).hexdigest()


def parse(raw: Any, job: str) -> Config:
    """Check and expand a configuration; ConfigError lists every wrong field by its path."""
    rules = schema_of(job)
    _check(raw, rules)
    full = _defaults(rules)
    if job == "train":
        _merge(full, presets.PRESETS[raw.get("preset", "safe")])
    _merge(full, raw)
    if job == "train":
        _fit_kind(full, raw)
        _fit_steps(full, raw)
        _fit_words(full, raw)
        _check_combination(full)
    return Config(raw=full, **{k: SimpleNamespace(**v) if isinstance(v, dict) else v for k, v in full.items()})


def load(root: Root, job: str) -> Config:
    """The configuration in the channel `config`, with hyperparameters laid over it."""
    name = "run.json" if job == "train" else "eval.json"
    raw = read_json(root.channel("config") / name)
    return parse(override(raw, root.hyperparameters()), job)


def override(raw: Any, hyper: dict[str, str]) -> Any:
    """Lay hyperparameters such as {"train.lr": "0.001"} over the document; SageMaker's own keys are ignored."""
    if not isinstance(raw, dict):
        return raw
    out = copy.deepcopy(raw)
    for key, text in hyper.items():
        if key.startswith("sagemaker_"):
            continue
        *parents, leaf = key.split(".")
        node = out
        for p in parents:
            node = node.setdefault(p, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{key}: hyperparameter goes through {p}, which is no section")
        node[leaf] = _value(text)
    return out


def fields(given: list[str]) -> dict[str, str]:
    """FIELD=VALUE arguments by field."""
    for text in given:
        if "=" not in text:
            raise ConfigError(f"--set {text}: write FIELD=VALUE, such as train.lr=0.001")
    return dict(text.split("=", 1) for text in given)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, TypeError):
        return text


def _check(raw: Any, rules: dict[str, Any]) -> None:
    found = list(schema.errors(raw, rules))
    if found:
        raise ConfigError("; ".join(found[:5]))


def _defaults(rules: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, rule in rules["properties"].items():
        if rule.get("type") == "object":
            out[key] = _defaults(rule)
        elif "default" in rule or "const" in rule:
            out[key] = copy.deepcopy(rule.get("default", rule.get("const")))
    return out


def _merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def _fit_kind(full: dict[str, Any], raw: dict[str, Any]) -> None:
    """A preset's adapter settings make no sense for other weights. Unless the run says otherwise, nothing decays that does not
    start at zero, and of whole weights all layers learn, at a twentieth of the adapters' rate."""
    if full["params"]["kind"] != "lora" and "weight_decay" not in raw.get("train", {}):
        full["train"]["weight_decay"] = 0.0
    if full["params"]["kind"] in ("lora", "lora_corda"):
        return
    preset = presets.PRESETS[full["preset"]]
    if "first_layer" not in raw.get("params", {}):
        full["params"]["first_layer"] = 0.0
    if "lr" not in raw.get("train", {}) and preset.get("params", {}).get("kind") != full["params"]["kind"]:
        full["train"]["lr"] /= 20


def _fit_steps(full: dict[str, Any], raw: dict[str, Any]) -> None:
    """Whoever says how many epochs gets so many: a preset's least number of steps goes with the preset's epochs."""
    said = raw.get("train", {})
    if "epochs" in said and "min_steps" not in said:
        full["train"]["min_steps"] = 0


def _fit_words(full: dict[str, Any], raw: dict[str, Any]) -> None:
    """A preset's word dropout is for questions that are not learned themselves."""
    if "word_dropout" not in raw.get("data", {}) and not _asks(full):
        full["data"]["word_dropout"] = 0.0


def _asks(c: dict[str, Any]) -> bool:
    """Whether new rows are questions whose answers alone are learned."""
    return c["train"]["trainer"] == "sft" and c["data"]["completion_only"]


def _check_combination(c: dict[str, Any]) -> None:
    """Combinations that have no meaning; each message says what is legal."""
    lora = c["params"]["kind"] in ("lora", "lora_corda")
    post, replay, loss = c["post"]["kind"], c["replay"], c["loss"]
    rules = [
        (post in ("ties", "dare", "intruder") and not lora, f"post.kind: {post} works on adapters; set params.kind to lora or lora_corda"),
        (loss["olora"] > 0 and not lora, "loss.olora: needs adapters; set params.kind to lora"),
        (replay["mode"] == "none" and replay["ce_weight"] > 0, "replay.ce_weight: needs old rows; set replay.mode to replay, self_replay or both"),
        (replay["mode"] != "none" and replay["ratio"] == 0, "replay.ratio: must be above 0 when replay.mode is not none"),
        (
            replay["mode"] != "none" and loss["kl"] == loss["features"] == replay["ce_weight"] == 0,
            "loss.kl: replayed rows need loss.kl, loss.features or replay.ce_weight above 0",
        ),
        (replay["mode"] == "self_replay" and replay["self_generate"] == 0, "replay.self_generate: must be above 0 for self_replay"),
        (
            c["train"]["trainer"] == "sdft" and replay["mode"] != "none",
            "replay.mode: sdft takes none (it samples its own rows); use loss.kl with sft instead",
        ),
        (c["data"]["word_dropout"] > 0 and not _asks(c), "data.word_dropout: needs train.trainer sft and data.completion_only"),
        (not lora and c["params"]["first_layer"] > 0, "params.first_layer: only adapters can leave the lower layers alone; set params.kind to lora"),
    ]
    wrong = [message for bad, message in rules if bad]
    if wrong:
        raise ConfigError("; ".join(wrong))
