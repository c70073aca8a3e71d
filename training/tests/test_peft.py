"""Our adapters against peft's: the same numbers where peft ships the method, and what ours add."""

import pytest
import torch
from torch.nn import functional as F

from continual import config, corda, models, osf, params
from continual.forward import Forward
from continual.optim import AdamW
from continual.predictions import cross_entropy

R16 = {"kind": "lora", "targets": "all-linear", "first_layer": 0.0, "r": 8, "alpha": 16}


@pytest.fixture
def pair(raw_base):
    """Ours, and the same weights in transformers for peft."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    return models.load(raw_base, "float32"), AutoModelForCausalLM.from_pretrained(raw_base, dtype=torch.float32)


def rows_of(loaded, tiny_demo, count=6):
    return [loaded.text.row(r, 64) for r in tiny_demo.learn[:count]]


def their_loss(model, rows) -> torch.Tensor:
    """Mean loss of the learned tokens, row by row through the library's model."""
    logits, labels = [], []
    for r in rows:
        out = model(torch.tensor([r.ids])).logits[0]
        at = [j for j in range(1, len(r)) if r.target[j]]
        logits.append(out[[j - 1 for j in at]])
        labels += [r.ids[j] for j in at]
    return F.cross_entropy(torch.cat(logits), torch.tensor(labels))


def leaf(name: str) -> str:
    return name.removeprefix("base_model.model.").removesuffix(".default.weight")


def test_lora_trains_as_pefts_does(pair, tiny_demo):
    from peft import LoraConfig, get_peft_model

    ours, theirs = pair
    cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "params": R16}, "train")
    t = params.setup(ours.model, cfg)
    targets = sorted({n.rsplit(".", 1)[-1] for n in t.adapters})
    other = get_peft_model(theirs, LoraConfig(r=8, lora_alpha=16, target_modules=targets, lora_dropout=0.0, bias="none"))
    with torch.no_grad():
        for name, p in other.named_parameters():
            if p.requires_grad:
                p.copy_(t.named[leaf(name)])
    rows, forward = rows_of(ours, tiny_demo), Forward(ours, t)
    mine = AdamW(t.named, 1e-2, 0.0)
    library = torch.optim.AdamW([p for p in other.parameters() if p.requires_grad], lr=1e-2, weight_decay=0.0, betas=(0.9, 0.999))
    seen = []
    for _ in range(5):
        a, b = cross_entropy(forward(rows)), their_loss(other, rows)
        seen.append((a.item(), b.item()))
        mine.zero_grad()
        library.zero_grad()
        a.backward()
        b.backward()
        mine.step()
        library.step()
    assert [a for a, _ in seen] == pytest.approx([b for _, b in seen], rel=1e-3) and seen[-1][0] < 0.95 * seen[0][0]


def test_osf_keeps_the_directions_that_peft_keeps(pair):
    from peft import OSFConfig, get_peft_model

    ours, theirs = pair
    name = "model.layers.1.mlp.up_proj.weight"
    weight = ours.model.get_parameter(name).detach().clone()
    high, _ = osf.Subspace({name: weight}, 0.5).high[name]
    kept = high.shape[1]
    other = get_peft_model(theirs, OSFConfig(target_modules=["up_proj"], effective_rank=kept))
    frozen = next(m for n, m in other.named_modules() if n.endswith("layers.1.mlp.up_proj"))
    theirs_high = frozen._osf_U_high["default"]
    assert theirs_high.shape == high.shape
    assert float((theirs_high.T @ high).norm() ** 2) / kept == pytest.approx(1, abs=1e-3)


def test_what_peft_lacks_the_change_stays_apart_from_the_weights(pair, raw_base, tiny_demo):
    """KL, EWC and O-LoRA need the model before the run and the change of the run, at every step and for every kind: peft's
    OSF and a merged adapter cannot give them."""
    for kind in ("full", "lora", "lora_corda", "osf"):
        loaded = models.load(raw_base, "float32")
        cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "params": {"kind": kind}}, "train")
        rows = rows_of(loaded, tiny_demo)
        before = Forward(loaded, params.Trainable("full", {}))(rows).logits.detach()
        t = params.setup(loaded.model, cfg, corda.covariances(loaded, rows, cfg) if kind == "lora_corda" else None)
        with torch.no_grad():
            for p in t.named.values():
                p.add_(0.05 * torch.randn_like(p))
        torch.testing.assert_close(Forward(loaded, t).teacher(rows), before, atol=1e-4, rtol=1e-3)
        assert sum(float(d.abs().sum()) for d in t.deltas().values()) > 0, kind
