"""Presets: named starting points, measured in training/README.md. Explicit sections of run.json override them."""

from typing import Any

_NONE = {"mode": "none", "ratio": 0.25, "self_generate": 0}

PRESETS: dict[str, dict[str, Any]] = {
    "safe": {
        "replay": {"mode": "both", "ratio": 0.4, "self_generate": 64},
        "loss": {"kl": 1.0},
        "post": {"kind": "none"},
    },
    "naive": {"replay": _NONE, "loss": {"kl": 0.0}},
}
PRESETS["knowledge"] = {**PRESETS["safe"], "loss": {"kl": 1.0, "ewc": 0.1}}
PRESETS["skill"] = {"replay": {"mode": "replay", "ratio": 0.1}, "loss": {"kl": 0.5}}
PRESETS["no_old_data"] = {**PRESETS["safe"], "replay": {"mode": "self_replay", "ratio": 0.4, "self_generate": 256}}
PRESETS["long_stream"] = {
    "params": {"kind": "osf", "osf_keep": 0.5},
    "train": {"lr": 5e-5},
    "replay": {"mode": "replay", "ratio": 0.25},
}
PRESETS["large"] = {"train": {"trainer": "sdft", "lr": 2e-5}, "replay": _NONE, "loss": {"kl": 0.0}}
