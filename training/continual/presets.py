"""Presets: named starting points, measured in training/README.md. Explicit sections of run.json override them."""

from typing import Any

# Learned fast and forgot little on two cores (README, "Measured"): adapters on the MLPs of the upper half of the layers,
# twice as many old rows a step as new ones, held by their final states too, and own questions that begin like the new ones.
_RECIPE: dict[str, Any] = {
    "params": {"kind": "lora", "targets": "mlp", "first_layer": 0.5, "r": 16, "alpha": 32},
    "train": {"epochs": 6, "lr": 2e-3, "min_steps": 100, "batch_rows": 18, "schedule": "linear"},
}
# What is held learns more slowly, and wordings by heart; the decay takes back what the new rows do not need.
_HELD: dict[str, Any] = {**_RECIPE, "train": {**_RECIPE["train"], "epochs": 12, "weight_decay": 3.0}, "data": {"word_dropout": 0.25}}
_OLD = 0.667  # of a step's rows: 12 beside 6 new ones
_ALONE: dict[str, Any] = {**_RECIPE, "train": {**_RECIPE["train"], "batch_rows": 6}}  # as many new rows a step as `safe` has
_NONE: dict[str, Any] = {"mode": "none", "self_generate": 0}
# What people call LoRA: rank 16 on every linear layer, plain loss on the new rows and nothing else.
_PLAIN: dict[str, Any] = {"kind": "lora", "targets": "all-linear", "first_layer": 0.0, "r": 16, "alpha": 32}

PRESETS: dict[str, dict[str, Any]] = {
    "safe": {**_HELD, "replay": {"mode": "both", "ratio": _OLD, "self_generate": 64, "near": 2.0}, "loss": {"kl": 1.0, "features": 3.0}},
    "naive": {**_ALONE, "replay": _NONE, "loss": {"kl": 0.0}},
    "lora": {"params": _PLAIN, "train": {**_ALONE["train"], "lr": 1e-3}, "replay": _NONE, "loss": {"kl": 0.0}},
    "replay": {**_RECIPE, "replay": {"mode": "replay", "ratio": _OLD, "ce_weight": 0.5}, "loss": {"kl": 0.0}},
    "skill": {**_RECIPE, "train": {**_RECIPE["train"], "batch_rows": 12}, "replay": {"mode": "replay", "ratio": 0.1}, "loss": {"kl": 0.5}},
    "long_stream": {
        "params": {"kind": "osf", "osf_keep": 0.5},
        "train": {"lr": 5e-5},
        "replay": {"mode": "replay", "ratio": 0.25},
    },
    "large": {"train": {"trainer": "sdft", "lr": 2e-5}, "replay": _NONE, "loss": {"kl": 0.0}},
}
PRESETS["knowledge"] = {**PRESETS["safe"], "loss": {**PRESETS["safe"]["loss"], "ewc": 0.1}}
PRESETS["no_old_data"] = {**PRESETS["safe"], "replay": {"mode": "self_replay", "ratio": _OLD, "self_generate": 96, "near": 3.0}}

# Sections over every preset for the tiny base: held to what it knows, so small a model learns with all it has and takes more steps.
TINY: dict[str, Any] = {"params": {"targets": "all-linear", "first_layer": 0.0}, "train": {"min_steps": 200}}
