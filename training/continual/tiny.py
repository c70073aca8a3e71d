"""The tiny base model: our own Llama shape, tokenizer and chat template, pretrained from scratch in seconds on text that
`world` makes. Same seed, same machine kind: same digest."""

import json
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from continual import llama, llama_config, manifest, world
from continual.contract import progress
from continual.optim import AdamW, clip
from continual.replay import permutation
from continual.text import Row, Text

RECIPE = {"recipe": "tiny-1", "steps": 350, "batch": 64, "lr": 3e-3, "seed": world.SEED}
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 128,
    "intermediate_size": 384,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "max_position_embeddings": 256,
    "tie_word_embeddings": True,
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "dtype": "float32",
}
TEMPLATE = "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
SPECIAL = ["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"]


def build(out: Path, recipe: dict[str, Any] = RECIPE, shape: dict[str, Any] | None = None, device: str = "cpu") -> bool:
    """Write the model folder; False when a valid one of this recipe is there already. `shape` changes CONFIG."""
    if manifest.is_valid(out, recipe=recipe):
        return False
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    write_tokenizer(out, shape or {})
    text = Text(out)
    base, _ = world.facts(recipe.get("people", world.PEOPLE))
    rows = [text.row(world.chat(f.ask(p), f.value), 64, completion_only=False) for f in base for p in range(5)]
    torch.manual_seed(recipe["seed"])
    model = fresh(json.loads((out / "config.json").read_text())).to(device)
    loss = pretrain(model, rows, recipe)
    save(model.cpu(), out)
    manifest.write_manifest(
        out, recipe=recipe, parent=None, seed=recipe["seed"], metrics={"loss": loss, "seconds": round(time.monotonic() - began, 1)}
    )
    return True


def write_tokenizer(out: Path, shape: dict[str, Any] | None = None) -> None:
    """Train a small byte-level BPE on the world's words and invented names; write configuration files beside it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=640, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    people = world.names(400, 1)
    lines = [q.format(n=people[(i * 31 + k) % 400]) for i in range(60) for k, qs in enumerate(world.PHRASINGS.values()) for q in qs]
    lines += [v for vs in world.VALUES.values() for v in vs] * 20
    tok.train_from_iterator(lines, trainer)
    tok.save(str(out / "tokenizer.json"))
    config = {**CONFIG, **(shape or {}), "vocab_size": tok.get_vocab_size(), "bos_token_id": 1, "eos_token_id": 0, "pad_token_id": 0}
    _write(out / "config.json", config)
    _write(out / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 0, "pad_token_id": 0})
    _write(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": SPECIAL[0],
            "pad_token": SPECIAL[0],
            "clean_up_tokenization_spaces": False,
            "model_max_length": 256,
        },
    )
    (out / "chat_template.jinja").write_text(TEMPLATE)


def fresh(config: dict[str, Any]) -> llama.Llama:
    """Random initial weights: normal 0.02, residual outputs scaled by depth as in GPT-2."""
    model = llama.Llama(llama_config.parse_config(config))
    for name, p in model.named_parameters():
        if p.dim() > 1:
            scale = (2 * config["num_hidden_layers"]) ** -0.5 if name.endswith(("o_proj.weight", "down_proj.weight")) else 1.0
            torch.nn.init.normal_(p, std=0.05 * scale)
    return model


def pretrain(model: llama.Llama, rows: list[Row], recipe: dict[str, Any] = RECIPE) -> float:
    """AdamW with a warmed-up linear decay on every token; returns the last loss, nats a token."""
    steps, size = recipe["steps"], recipe["batch"]
    optimizer = AdamW(dict(model.named_parameters()), recipe["lr"], 0.01, (0.9, 0.98))
    per_epoch, told, loss = len(rows) // size, time.monotonic(), torch.zeros(())
    for step in range(steps):
        optimizer.lr = recipe["lr"] * min((step + 1) / 40, (steps - step) / steps * 1.05)
        order = permutation(len(rows), recipe["seed"], step // per_epoch)[step % per_epoch * size :][:size]
        batch = [rows[i] for i in order]
        loss = full_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        clip(model.parameters(), 1.0)
        optimizer.step()
        if time.monotonic() - told > 2:
            told = time.monotonic()
            progress(phase="pretrain", step=step + 1, steps=steps, loss=loss.item())
    return loss.item()


def full_loss(model: llama.Llama, rows: list[Row]) -> torch.Tensor:
    """Next-token loss over all tokens of the rows."""
    ids = torch.tensor([t for r in rows for t in r.ids], device=model.device)
    lengths = [len(r) for r in rows]
    ends = torch.tensor(lengths).cumsum(0) - 1
    mask = torch.ones(len(ids), dtype=torch.bool, device=model.device)
    mask[ends] = False
    logits = model.head(model.features(ids, lengths)[mask])
    return F.cross_entropy(logits, ids[1:][mask[:-1]])


def save(model: llama.Llama, out: Path) -> None:
    """Write model.safetensors."""
    from safetensors.torch import save_file

    save_file({k: v.detach().contiguous() for k, v in model.state_dict().items()}, out / "model.safetensors", metadata={"format": "pt"})


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")
