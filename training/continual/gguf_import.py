"""GGUF weights to a Hugging Face folder: Llama family, once, without building llama.cpp (M3).

Names follow llama.cpp's `llama` architecture. Its converter interleaves the rotary halves of Q and K; `unpermute`
undoes that. SmolLM splits digits singly before byte-level BPE: the golden test holds the tokenizer to it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

NAMES = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}

# SmolLM2's own template without its default system message: no row and no question pays for its 30 tokens,
# and answers are trained and asked in the same form.
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


class Gguf:
    """Metadata and dequantised tensors of one GGUF file."""

    def __init__(self, path: Path):
        from gguf import GGUFReader

        self.reader = GGUFReader(path)

    def field(self, name: str) -> Any:
        """A metadata value as plain Python."""
        return self.reader.get_field(name).contents()

    def tensors(self) -> dict[str, torch.Tensor]:
        """Hugging Face name -> bfloat16 tensor."""
        from gguf.quants import dequantize

        heads, kv = self.field("llama.attention.head_count"), self.field("llama.attention.head_count_kv")
        out = {}
        for t in self.reader.tensors:
            name = hf_name(t.name)
            array = torch.from_numpy(np.array(dequantize(t.data, t.tensor_type)))
            if name.endswith(("q_proj.weight", "k_proj.weight")):
                array = unpermute(array, heads if "q_proj" in name else kv)
            out[name] = array.to(torch.bfloat16).contiguous()
        return out


def hf_name(name: str) -> str:
    """llama.cpp tensor name -> Hugging Face name."""
    parts = name.split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{NAMES[parts[2]]}.weight"
    return f"{TOP[parts[0]]}.weight"


def unpermute(w: torch.Tensor, heads: int) -> torch.Tensor:
    """[out, in] with interleaved rotary pairs -> half-split order."""
    dim = w.shape[0] // heads // 2
    return w.reshape(heads, dim, 2, w.shape[1]).swapaxes(1, 2).reshape(w.shape)


def convert(source: Path, out: Path) -> None:
    """Write config.json, generation_config.json, tokenizer files, chat template and model.safetensors."""
    from safetensors.torch import save_file

    g = Gguf(source)
    out.mkdir(parents=True, exist_ok=True)
    tensors = g.tensors()
    vocab = tensors["model.embed_tokens.weight"].shape[0]
    config = model_config(g, vocab, tied="lm_head.weight" not in tensors)
    _write(out / "config.json", config)
    _write(out / "generation_config.json", {k: config[k] for k in ("bos_token_id", "eos_token_id", "pad_token_id")})
    write_tokenizer(g, out)
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


def model_config(g: Gguf, vocab: int, tied: bool) -> dict[str, Any]:
    """config.json of the Llama architecture."""
    heads, width = g.field("llama.attention.head_count"), g.field("llama.embedding_length")
    eos = g.field("tokenizer.ggml.eos_token_id")
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": vocab,
        "hidden_size": width,
        "intermediate_size": g.field("llama.feed_forward_length"),
        "num_hidden_layers": g.field("llama.block_count"),
        "num_attention_heads": heads,
        "num_key_value_heads": g.field("llama.attention.head_count_kv"),
        "head_dim": width // heads,
        "rms_norm_eps": float(g.field("llama.attention.layer_norm_rms_epsilon")),
        "rope_theta": float(g.field("llama.rope.freq_base")),
        "max_position_embeddings": g.field("llama.context_length"),
        "tie_word_embeddings": tied,
        "hidden_act": "silu",
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": g.field("tokenizer.ggml.bos_token_id"),
        "eos_token_id": eos,
        "pad_token_id": eos,
        "dtype": "bfloat16",
    }


def write_tokenizer(g: Gguf, out: Path) -> None:
    """tokenizer.json, tokenizer_config.json and chat_template.jinja of a byte-level BPE with single digits."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens, kinds = g.field("tokenizer.ggml.tokens"), g.field("tokenizer.ggml.token_type")
    merges = [tuple(m.split(" ")) for m in g.field("tokenizer.ggml.merges")]
    tok = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tok.decoder = decoders.ByteLevel()
    control = [t for t, k in zip(tokens, kinds, strict=True) if k == 3]
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in control])
    tok.save(str(out / "tokenizer.json"))
    names = {k: tokens[g.field(f"tokenizer.ggml.{k}_token_id")] for k in ("bos", "eos")}
    _write(
        out / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": names["bos"],
            "eos_token": names["eos"],
            "pad_token": names["eos"],
            "clean_up_tokenization_spaces": False,
            "model_max_length": g.field("llama.context_length"),
        },
    )
    (out / "chat_template.jinja").write_text(CHAT_TEMPLATE)


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
