"""The model card that goes with every version."""

from typing import Any


def text(facts: dict[str, Any], model: dict[str, Any], run: dict[str, Any]) -> str:
    """README.md with YAML front matter."""
    m = facts["metrics"]
    rows = "".join(f"| {k.replace('_', ' ')} | {_show(v)} |\n" for k, v in m.items())
    return (
        f"---\nlibrary_name: transformers\npipeline_tag: text-generation\nbase_model: {facts['parent']}\n"
        f"tags: [continual-learning, perennial]\n---\n\n# {model.get('model_type', 'model')}, updated by Perennial\n\n"
        f"Preset `{facts['preset']}`, seed {facts['seed']}, parent `{facts['parent']}`.\n\n| measured | value |\n|---|---|\n{rows}\n"
        f"Old-data loss is in nats per token on held-out rows of what the model knew; `kl` is its distance to the parent there.\n\n"
        f"Code `{facts['code_sha256']}`, data `{facts['data_sha256']}`, configuration `{facts['config_sha256']}`.\n\n"
        f"Weights: `model.safetensors` (merged). `adapter/` holds this run's change in PEFT format, `cl_state/` what the next\n"
        f"update needs. Learning rate {run['train']['lr']}, parameters `{run['params']['kind']}`, replay `{run['replay']['mode']}`.\n"
    )


def _show(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
