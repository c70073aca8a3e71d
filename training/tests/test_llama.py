"""Our decoder and adapters against transformers and peft."""

import json

import pytest
import torch

from continual import llama, llama_config, lora, lora_file, models, product
from continual.errors import ConfigError


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = LlamaConfig(
        vocab_size=100,
        hidden_size=48,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        tie_word_embeddings=True,
    )
    theirs = LlamaForCausalLM(shape).eval()
    folder = tmp_path_factory.mktemp("llama")
    theirs.save_pretrained(folder)
    config = llama_config.parse_config(json.loads((folder / "config.json").read_text()))
    return theirs, llama.load(folder, config, torch.float32), folder


ROWS = [torch.arange(3, 8), torch.arange(10, 19), torch.arange(20, 23)]
LENGTHS = [len(r) for r in ROWS]


@torch.no_grad()
def test_packed_rows_give_the_logits_of_transformers(pair):
    theirs, ours, _ = pair
    got = ours.head(ours.features(torch.cat(ROWS), LENGTHS)).split(LENGTHS)
    for row, logits in zip(ROWS, got, strict=True):
        torch.testing.assert_close(logits, theirs(row[None]).logits[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_cached_steps_equal_one_pass_also_after_rows_leave_and_join(pair):
    _, ours, _ = pair
    whole = ours.head(ours.features(torch.cat(ROWS), LENGTHS)).split(LENGTHS)
    cache = ours.new_cache(3, 1)
    ours.extend(torch.cat([r[:2] for r in ROWS]), [2, 2, 2], cache)
    cache.keep(torch.tensor([1]))
    other = ours.new_cache(1, 1)
    ours.extend(ROWS[0][:1], [1], other)
    cache.join(other)
    got = ours.head(ours.extend(torch.cat([ROWS[1][2:], ROWS[0][1:]]), [7, 4], cache)).split([7, 4])
    torch.testing.assert_close(got[0], whole[1][2:], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(got[1], whole[0][1:], atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("amd", [False, True])
def test_a_served_row_alone_gets_the_same_states_also_after_another_left(pair, monkeypatch, threads, amd):
    threads(2)
    monkeypatch.setattr(product, "_amd", lambda: amd)
    _, ours, folder = pair
    served = llama.load(folder, ours.c, torch.float32)
    served.fuse()
    whole = ours.features(torch.cat(ROWS), LENGTHS).split(LENGTHS)
    cache = served.new_cache(2, 1)
    served.extend(torch.cat([ROWS[0][:2], ROWS[1][:3]]), [2, 3], cache)
    cache.keep(torch.tensor([1]))
    alone, asked = served.single, []
    served.single = lambda token, cache: asked.append(token) or alone(token, cache)
    got = torch.cat([served.extend(token[None], [1], cache) for token in ROWS[1][3:]])
    torch.testing.assert_close(got, whole[1][3:], atol=1e-5, rtol=1e-4)
    assert asked == ROWS[1][3:].tolist()


@torch.no_grad()
def test_split_layers_equal_one_pass(pair):
    _, ours, _ = pair
    pack = ours.pack(LENGTHS)
    half = ours.run(ours.embed(torch.cat(ROWS)), pack, last=2)
    assert torch.equal(ours.run(half, pack, first=2), ours.features(torch.cat(ROWS), LENGTHS))


@torch.no_grad()
def test_saved_adapter_is_read_by_peft_with_equal_logits(pair, tmp_path):
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    _, _, folder = pair
    config = llama_config.parse_config(json.loads((folder / "config.json").read_text()))
    ours = llama.load(folder, config, torch.float32)
    adapters = lora.attach(ours, lora.select(ours, "mlp", 1), 4, 8)
    for a in adapters.values():
        torch.nn.init.normal_(a.lora_B, std=0.1)
    lora_file.save(tmp_path / "adapter", adapters)
    theirs = PeftModel.from_pretrained(LlamaForCausalLM.from_pretrained(folder), tmp_path / "adapter").eval()
    got = ours.head(ours.features(ROWS[1], [9]))
    torch.testing.assert_close(got, theirs(ROWS[1][None]).logits[0], atol=1e-5, rtol=1e-4)
    with lora.disabled():
        assert not torch.allclose(ours.head(ours.features(ROWS[1], [9])), got)


def test_variants_that_are_not_implemented_are_left_to_transformers():
    raw = {"model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    assert llama_config.parse_config(raw) is not None
    for change in ({"model_type": "qwen2"}, {"attention_bias": True}, {"hidden_act": "gelu"}, {"rope_scaling": {"rope_type": "llama3"}}):
        assert llama_config.parse_config({**raw, **change}) is None


def test_adamw_equals_torch():
    from continual.optim import AdamW, clip

    torch.manual_seed(1)
    start = torch.randn(5, 4)
    a, b = start.clone().requires_grad_(), torch.nn.Parameter(start.clone())
    ours, theirs = AdamW({"w": a}, 0.01, 0.1), torch.optim.AdamW([b], 0.01, weight_decay=0.1)
    for k in range(5):
        for w in (a, b):
            w.grad = None
            (w.pow(2).sum() * (k + 1)).backward()
        assert clip([a], 1.0) == pytest.approx(float(torch.nn.utils.clip_grad_norm_([b], 1.0)), rel=1e-6)
        ours.step()
        theirs.step()
    torch.testing.assert_close(a, b, atol=1e-7, rtol=1e-6)


def test_auto_is_the_faster_type_of_the_hardware_unless_the_environment_says(monkeypatch):
    monkeypatch.delenv("PERENNIAL_DTYPE")
    for amx, kind in ((False, torch.float32), (True, torch.bfloat16)):
        monkeypatch.setattr(models, "cpu_has_amx", lambda amx=amx: amx)
        assert torch.cuda.is_available() or models.pick_dtype("auto") == kind
    monkeypatch.setenv("PERENNIAL_DTYPE", "float32")
    assert [models.pick_dtype(n) for n in ("auto", "bfloat16")] == [torch.float32, torch.bfloat16]
    monkeypatch.setenv("PERENNIAL_DTYPE", "int4")
    with pytest.raises(ConfigError, match="PERENNIAL_DTYPE: must be auto or one of float32"):
        models.pick_dtype("auto")
