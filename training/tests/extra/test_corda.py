"""CorDA against peft's, which needs attrs (a dependency of requirements-extra)."""

import torch

from continual import config, corda, models, params


def test_corda_starts_in_the_directions_that_peft_chooses(raw_base, tiny_demo):
    from peft import LoraConfig, get_peft_model
    from peft.tuners.lora.config import CordaConfig
    from peft.tuners.lora.corda import preprocess_corda
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    ours, theirs = models.load(raw_base, "float32"), AutoModelForCausalLM.from_pretrained(raw_base, dtype=torch.float32)
    rank = {"kind": "lora_corda", "targets": ["up_proj"], "first_layer": 0.0, "r": 4, "alpha": 4}
    cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "params": rank}, "train")
    rows = [ours.text.row(r, 64) for r in tiny_demo.old[:60]]
    found = corda.covariances(ours, rows, cfg)
    t = params.setup(ours.model, cfg, found)

    def run() -> None:
        with torch.no_grad():
            for r in rows:
                theirs(torch.tensor([r.ids]))

    init = CordaConfig(corda_method="kpm")
    wanted = LoraConfig(r=4, lora_alpha=4, target_modules=["up_proj"], init_lora_weights="corda", corda_config=init)
    preprocess_corda(theirs, wanted, run_model=run)
    other = get_peft_model(theirs, wanted)
    factors = {n.removeprefix("base_model.model.").removesuffix(".default.weight"): p for n, p in other.named_parameters() if "lora_" in n}
    for name, a in t.adapters.items():
        delta, reference = a.scale * a.lora_B @ a.lora_A, factors[f"{name}.lora_B"] @ factors[f"{name}.lora_A"]
        assert spanned(delta, reference) > 0.95, name  # the same output directions; sizes differ by peft's damping


def spanned(a: torch.Tensor, b: torch.Tensor) -> float:
    """How much of the column space of a lies in that of b, 1 for all."""
    ua, ub = (torch.linalg.svd(m, full_matrices=False)[0][:, :4] for m in (a, b))
    return float((ub.T @ ua).norm() ** 2) / 4
