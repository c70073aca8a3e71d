"""Which configurations our Llama decoder implements, and the part of them that shapes it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LlamaConfig:
    """The part of config.json that shapes the network."""

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    rms_norm_eps: float
    rope_theta: float
    tie_word_embeddings: bool
    max_position_embeddings: int


def parse_config(raw: dict) -> LlamaConfig | None:
    """Our configuration for a config.json, or None when this file does not implement that variant."""
    rope = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    plain = rope.get("rope_type", rope.get("type", "default")) == "default"
    biased = raw.get("attention_bias") or raw.get("mlp_bias")
    if raw.get("model_type") != "llama" or not plain or biased or raw.get("hidden_act", "silu") != "silu":
        return None
    heads = raw["num_attention_heads"]
    return LlamaConfig(
        vocab_size=raw["vocab_size"],
        hidden_size=raw["hidden_size"],
        intermediate_size=raw["intermediate_size"],
        num_hidden_layers=raw["num_hidden_layers"],
        num_attention_heads=heads,
        num_key_value_heads=raw.get("num_key_value_heads") or heads,
        head_dim=raw.get("head_dim") or raw["hidden_size"] // heads,
        rms_norm_eps=raw.get("rms_norm_eps", 1e-6),
        rope_theta=float(rope.get("rope_theta", raw.get("rope_theta", 10000.0))),
        tie_word_embeddings=raw.get("tie_word_embeddings", False),
        max_position_embeddings=raw.get("max_position_embeddings", 2048),
    )
