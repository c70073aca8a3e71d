"""Every slot's parts: each test fails when its term or rule is switched off (T1)."""

import json
import random
import shutil

import pytest
import torch
from conftest import Job
from safetensors.torch import load_file, save_file

from continual import config, data, lora, lora_file, losses, merge, models, osf, own, params, replay, words
from continual.forward import Forward
from continual.predictions import cross_entropy

SHORT = {"epochs": 1, "batch_rows": 8}
NAIVE = {"preset": "naive", "train": SHORT}  # lr of the preset; whole weights learn at a twentieth of it
REPLAY = {"mode": "replay", "ratio": 0.5}


def build(raw_base, tiny_demo, **sections):
    """Config, model, trainable and forward over a few rows, ready for one step."""
    cfg = config.parse({"schema": 1, "job": "train", **sections}, "train")
    torch.manual_seed(0)
    loaded = models.load(raw_base)
    t = params.setup(loaded.model, cfg)
    rows = [loaded.text.row(r, 64) for r in tiny_demo.learn[:6]]
    old = [loaded.text.row(r, 64) for r in tiny_demo.old[:6]]
    return cfg, t, Forward(loaded, t), rows, old


def shake(t: params.Trainable) -> None:
    """Move the weights away from the previous model."""
    torch.manual_seed(3)
    with torch.no_grad():
        for p in t.named.values():
            p.add_(0.2 * torch.randn_like(p))


def gradient(t: params.Trainable, value: torch.Tensor) -> float:
    grads = torch.autograd.grad(value, list(t.named.values()), allow_unused=True)
    return sum(float(g.abs().sum()) for g in grads if g is not None)


@pytest.mark.parametrize("kind", ["lora", "full"])
@pytest.mark.parametrize("name", ["kl", "features", "lwf", "l2sp", "ewc"])
def test_a_term_is_zero_at_the_previous_model_and_pulls_back_once_it_moved(kind, name, raw_base, tiny_demo):
    _, t, forward, rows, old = build(raw_base, tiny_demo, preset="naive", params={"kind": kind})
    fisher = {n: torch.ones_like(d) for n, d in t.deltas().items()}
    terms = [losses.ReplayKL(1, 1.0), losses.Features(1, 1.0), losses.LwF(1, 2.0), losses.L2SP(1, t), losses.EWC(1, t, fisher)]
    term = next(term for term in terms if term.name == name)
    assert term(losses.Step(forward, rows, old)).item() == pytest.approx(0, abs=1e-5)
    shake(t)
    value = term(losses.Step(forward, rows, old))
    assert value.item() > 0.01 and gradient(t, value) > 0


@pytest.mark.parametrize("kind", ["lora", "full"])
def test_terms_on_weights_are_their_formulas_gradients_included(kind, raw_base, tiny_demo):
    _, t, *_ = build(raw_base, tiny_demo, preset="naive", params={"kind": kind})
    shake(t)
    for a in t.adapters.values():
        a.fixed.append((0.1 * torch.randn(a.weight.shape[0], 2), torch.randn(2, a.in_features)))
    changes = {f"{n}.weight": a.delta() for n, a in t.adapters.items()} or {n: p - t.start[n] for n, p in t.named.items()}
    fisher = {n: torch.rand_like(d) for n, d in changes.items()}
    want = {"l2sp": sum(d.pow(2).sum() for d in changes.values()) / 2, "ewc": sum((fisher[n] * d.pow(2)).sum() for n, d in changes.items()) / 2}
    for term in (losses.L2SP(1, t), losses.EWC(1, t, fisher)):
        value = term(None)
        torch.testing.assert_close(value, want[term.name], rtol=1e-4, atol=1e-6)
        sides = [torch.autograd.grad(v, list(t.named.values()), retain_graph=True, allow_unused=True) for v in (value, want[term.name])]
        for mine, theirs in zip(*sides, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_kl_looks_at_old_rows_and_lwf_at_new_ones(raw_base, tiny_demo):
    _, t, forward, rows, old = build(raw_base, tiny_demo, preset="naive")
    shake(t)
    a, b = losses.Step(forward, rows, old), losses.Step(forward, old, rows)
    assert losses.ReplayKL(1, 2.0)(a).item() == pytest.approx(losses.LwF(1, 2.0)(b).item(), rel=1e-5)


def test_features_are_the_relative_change_of_the_final_states_on_old_rows(raw_base, tiny_demo):
    _, t, forward, rows, old = build(raw_base, tiny_demo, preset="naive")
    with t.teacher():
        before = losses.Step(forward, rows, old).old.features.detach()
    shake(t)
    step = losses.Step(forward, rows, old)
    after = step.old.features.detach()
    want = torch.stack([(a - b).norm() / b.norm() for a, b in zip(after, before, strict=True)]).mean()
    assert losses.Features(1, 1.0)(step).item() == pytest.approx(want.item(), abs=1e-3)


def test_ewc_weighs_by_the_fisher_diagonal(raw_base, tiny_demo):
    _, t, forward, rows, old = build(raw_base, tiny_demo, preset="naive", params={"kind": "full"})
    shake(t)
    step = losses.Step(forward, rows, old)
    name = next(n for n in t.named if "q_proj" in n)
    fisher = {n: torch.zeros_like(p) for n, p in t.named.items()}
    fisher[name][0, 0] = 4.0
    want = 0.5 * 4.0 * (t.named[name][0, 0] - t.start[name][0, 0]).item() ** 2
    assert losses.EWC(1, t, fisher)(step).item() == pytest.approx(want, rel=1e-5)


def test_olora_penalises_overlap_with_earlier_adapters(raw_base, tiny_demo):
    _, t, forward, rows, old = build(raw_base, tiny_demo, preset="naive")
    step = losses.Step(forward, rows, old)
    same = {n: (a.lora_B.detach(), a.lora_A.detach().clone()) for n, a in t.adapters.items()}
    value = losses.OLoRA(1, t, [same])(step)
    assert value.item() > 1 and gradient(t, value) > 0
    apart = {}
    for n, a in t.adapters.items():  # rows of the null space of A
        _, _, vt = torch.linalg.svd(a.lora_A.detach(), full_matrices=True)
        apart[n] = (a.lora_B.detach(), vt[-4:])
    assert losses.OLoRA(1, t, [apart])(step).item() < 1e-2


def test_replay_ce_is_the_plain_loss_on_old_rows(raw_base, tiny_demo):
    _, _, forward, rows, old = build(raw_base, tiny_demo, preset="naive")
    got = losses.ReplayCE(1)(losses.Step(forward, rows, old)).item()
    assert got == pytest.approx(cross_entropy(forward(old)).item(), rel=1e-5)


def test_weight_zero_leaves_a_term_out(raw_base, tiny_demo):
    cfg, t, *_ = build(raw_base, tiny_demo, preset="naive", loss={"kl": 0, "lwf": 0.5, "l2sp": 0.1})
    assert [x.name for x in losses.build(cfg, t, {}, [], True)] == ["lwf", "l2sp"]


def run_and_load(tmp_path, base, tiny_demo, name, **sections):
    job = Job(tmp_path / name, base).config(**sections).rows("train", tiny_demo.learn[:24]).rows("replay", tiny_demo.old[:40])
    assert job.run() == 0
    return job, load_file(job.root / "model" / "model.safetensors")


def test_osf_changes_only_the_low_singular_space(tmp_path, raw_base, tiny_demo):
    _, after = run_and_load(tmp_path, raw_base, tiny_demo, "osf", preset="naive", train=SHORT, params={"kind": "osf", "osf_keep": 0.5})
    before = load_file(raw_base / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    space = osf.Subspace({name: before[name]}, 0.5)
    u, vt = space.high[name]
    change = after[name] - before[name]
    assert change.norm() > 0.01
    assert (u.T @ change).norm() < 1e-3 * change.norm() and (change @ vt.T).norm() < 1e-3 * change.norm()
    assert torch.equal(after["model.embed_tokens.weight"], before["model.embed_tokens.weight"])


def test_corda_starts_at_the_previous_model_in_its_least_used_directions(raw_base, tiny_demo):
    from continual import corda

    cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "params": {"kind": "lora_corda", "r": 4}}, "train")
    loaded = models.load(raw_base)
    rows = [loaded.text.row(r, 64) for r in tiny_demo.old[:40]]
    before = Forward(loaded, params.Trainable("full", {}))(rows).logits
    found = corda.covariances(loaded, rows, cfg)
    t = params.setup(loaded.model, cfg, found)
    torch.testing.assert_close(Forward(loaded, t)(rows).logits, before, atol=1e-4, rtol=1e-3)
    name, a = next(iter(t.adapters.items()))
    reach = (a.scale * a.lora_B @ a.lora_A) @ found[name]  # what the trained directions do to typical inputs
    assert a.lora_B.abs().sum() > 0 and reach.norm() < 0.05 * (a.base.weight @ found[name]).norm()


def test_online_fisher_decays_the_previous_one(raw_base, tiny_demo):
    from continual import state

    cfg = config.parse({"schema": 1, "job": "train", "preset": "naive", "loss": {"ewc": 1.0, "ewc_gamma": 0.5}}, "train")
    loaded = models.load(raw_base)
    rows = [loaded.text.row(r, 64) for r in tiny_demo.old[:8]]
    first = state.fisher(loaded, rows, cfg, {})
    again = state.fisher(loaded, rows, cfg, first)
    name = next(iter(first))
    assert sum(float(f.sum()) for f in first.values()) / sum(f.numel() for f in first.values()) == pytest.approx(1, rel=1e-4)
    torch.testing.assert_close(again[name], 1.5 * first[name])


def test_wise_keeps_the_largest_share_within_the_tolerance(tmp_path, base, tiny_demo):
    replay = {"mode": "replay", "ratio": 0.1, "ce_weight": 0.0}
    whole = {"preset": "naive", "train": {"epochs": 8, "lr": 6e-3}, "replay": replay, "loss": {"kl": 0.001}}
    job, _ = run_and_load(tmp_path, base, tiny_demo, "a", **whole)
    loose, _ = run_and_load(tmp_path, base, tiny_demo, "b", **whole, post={"kind": "wise", "alphas": [1.0, 0.5, 0.1], "old_tolerance": 100})
    tight, _ = run_and_load(tmp_path, base, tiny_demo, "c", **whole, post={"kind": "wise", "alphas": [1.0, 0.5, 0.1], "old_tolerance": 0})
    assert loose.manifest["digest"] == job.manifest["digest"]
    plain, cut = (lora_file.load(j.root / "model" / "adapter") for j in (job, tight))
    name = next(iter(plain))
    torch.testing.assert_close(cut[name][0] @ cut[name][1], 0.1 * (plain[name][0] @ plain[name][1]), atol=1e-6, rtol=1e-3)
    assert tight.manifest["metrics"]["old_loss_after"] < job.manifest["metrics"]["old_loss_after"]


def test_ties_trims_elects_and_averages():
    a = torch.tensor([[3.0, -1.0, 0.1, 2.0]])
    b = torch.tensor([[1.0, 2.0, 0.2, -0.1]])
    assert torch.equal(merge.ties([a, b], 0.5), torch.tensor([[2.0, 2.0, 0.0, 2.0]]))
    assert torch.equal(merge.ties([a], 0.5), torch.tensor([[3.0, 0.0, 0.0, 2.0]]))


def test_dare_keeps_the_expected_change():
    change = torch.ones(200, 200)
    out = merge.dare(change, 0.25, torch.Generator().manual_seed(0))
    assert set(out.unique().tolist()) == {0.0, 4.0} and float(out.mean()) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("kind", ["ties", "dare"])
def test_combined_change_is_what_is_written(kind, tmp_path, raw_base, tiny_demo):
    job, after = run_and_load(tmp_path, raw_base, tiny_demo, kind, preset="naive", train=SHORT, post={"kind": kind, "density": 0.3})
    before = load_file(raw_base / "model.safetensors")
    name = "model.layers.3.mlp.up_proj.weight"
    share = float(((after[name] - before[name]).abs() > 0).float().mean())
    assert share == pytest.approx(0.3, abs=0.03)
    assert not (job.root / "model" / "adapter").exists()  # not low-rank any more


def test_intruders_are_taken_out_of_the_adapter():
    torch.manual_seed(0)
    base = torch.nn.Linear(32, 32, bias=False)
    a = lora.LoraLinear(base, 1, 1)
    with torch.no_grad():
        a.lora_B.copy_(torch.randn(32, 1) * 3)
        a.lora_A.copy_(torch.randn(1, 32))
    top = torch.linalg.svdvals(base.weight + a.delta())[0]
    assert merge.reduce_intruders(a, 0.75) >= 1
    assert torch.linalg.svdvals(base.weight + a.delta())[0] < 0.6 * top
    x = torch.randn(4, 32)
    torch.testing.assert_close(a(x), torch.nn.functional.linear(x, base.weight + a.delta()), atol=1e-4, rtol=1e-4)


def test_policies_choose_as_their_names_say(raw_base, tiny_demo):
    loaded = models.load(raw_base)
    rows = [loaded.text.row({**r, "meta": {"capability": "a" if i < 30 else "b"}}, 64) for i, r in enumerate(tiny_demo.old[:40])]
    groups = [r.meta["capability"] for r in replay.choose(rows, 20, "stratified", 1, lambda _: [])]
    assert groups.count("b") == 10
    hard = replay.choose(rows, 3, "surprise", 1, lambda rs: [float(i) for i in range(len(rs))])
    assert [r.raw for r in hard] == [r.raw for r in rows[-3:]]
    counts = [0] * 10
    for seed in range(2000):
        for i in replay.reservoir(10, 3, random.Random(seed)):
            counts[i] += 1
    assert min(counts) > 500 and max(counts) < 700  # 600 each


def test_replay_draw_is_a_function_of_seed_and_step_and_covers_all_rows():
    assert replay.draw(10, 4, 1, 7) == replay.draw(10, 4, 1, 7) != replay.draw(10, 4, 2, 7)
    assert sorted(i for s in range(5) for i in replay.draw(10, 4, 1, s)) == sorted(list(range(10)) * 2)


def test_self_replay_writes_rows_of_the_models_own_and_trains_on_them(tmp_path, base, tiny_demo):
    sections = {"preset": "no_old_data", "train": SHORT, "replay": {"self_generate": 24, "holdout": 4}}
    job = Job(tmp_path / "ml", base).config(**sections).rows("train", tiny_demo.learn[:16])
    assert job.run() == 0
    kept = [json.loads(x) for x in (job.root / "model" / "cl_state" / "buffer.jsonl").read_text().splitlines()]
    own = [r for r in kept if r.get("meta", {}).get("source") == "self"]
    assert len(own) == 20 and all(r["prompt"] and r["completion"] for r in own)
    known = {(p.question, p.contains) for p in tiny_demo.general}
    assert sum((r["prompt"], r["completion"]) in known or "?" in r["prompt"] or r["prompt"].endswith(".") for r in own) >= 18
    assert "kl" in job.history()[0]


def test_near_rows_begin_like_new_ones_are_the_models_own_and_are_not_carried_on(tmp_path, base, tiny_demo):
    sections = {"preset": "no_old_data", "train": SHORT, "replay": {"self_generate": 8, "near": 2, "holdout": 2}}
    new = tiny_demo.learn[:16]
    job = Job(tmp_path / "ml", base).config(**sections).rows("train", new)
    assert job.run() == 0
    made = [json.loads(x) for x in (job.root / "checkpoints" / "self_generated.jsonl").read_text().splitlines()]
    near = [r for r in made if r["meta"]["source"] == "near"]
    asked = {data.question(r) for r in new}
    assert 24 <= len(near) <= 32 and not asked & {r["prompt"] for r in near}
    assert all(any(r["prompt"][:3] == q[:3] for q in asked) for r in near)
    kept = [json.loads(x) for x in (job.root / "model" / "cl_state" / "buffer.jsonl").read_text().splitlines()]
    assert not [r for r in kept if r.get("meta", {}).get("source") == "near"]
    assert "kl" in job.history()[0]


def test_near_rows_are_given_no_name_that_the_model_does_not_know(base):
    loaded = models.load(base)
    read = words.read(loaded, ["Which food is best for Mumuro today?", "Mumuro eats which food?", "Kibada eats which food?"])
    known, new, old = (loaded.text.decode(own.beginning(q)).strip() for q in read.values())
    assert known == "Which food is best for" and new == "" and old.startswith("Kibada")
    assert own._questions(loaded, {"Mumuro eats which food?": []}, 4, 0, lambda _: None) == []


def test_a_template_that_opens_with_the_users_words_is_no_obstacle_to_rows_of_ones_own(tmp_path, base, tiny_demo):
    bare = shutil.copytree(base, tmp_path / "bare")
    (bare / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}\n{% endfor %}")
    loaded = models.load(bare)
    asked = "Which food is best for Mumuro today?"
    given = own.beginning(words.read(loaded, [asked])[asked])
    assert given == loaded.text.encode(asked)[: len(given)]
    cfg = config.parse({"schema": 1, "job": "train"}, "train")
    own.self_generate(loaded, 4, cfg, set(), lambda _: None)
    near(loaded, [loaded.text.row(r, 64) for r in tiny_demo.learn[:4]], cfg)


def near(loaded, rows, cfg):
    read = words.read(loaded, [q for r in rows if (q := data.question(r.raw))])
    return own.near(loaded, rows, read, cfg, set(), lambda *_: None)


def test_near_off_makes_no_near_row_and_plain_text_has_no_question(base, tiny_demo):
    loaded = models.load(base)
    cfg = config.parse({"schema": 1, "job": "train", "replay": {"near": 0}}, "train")
    rows = [loaded.text.row(r, 64) for r in tiny_demo.learn[:4]]
    assert near(loaded, rows, cfg) == []
    cfg.replay.near = 2
    assert near(loaded, rows, cfg)
    assert near(loaded, [loaded.text.row({"text": "Some plain text."}, 64)], cfg) == []


def test_updates_follow_each_other_from_the_carried_state(tmp_path, raw_base, tiny_demo):
    model, state_folder = raw_base, None
    for stage in range(4):
        job = Job(tmp_path / str(stage), model).rows("train", tiny_demo.learn[stage * 8 : stage * 8 + 8])
        job.config(preset="naive", train=SHORT, loss={"ewc": 0.1, "olora": 0.1}, replay={"mode": "both", "ratio": 0.25, "ce_weight": 0.1})
        if stage == 0:
            job.rows("replay", tiny_demo.old[:24])
        if state_folder:
            shutil.copytree(state_folder, job.channel("cl_state"), dirs_exist_ok=True)
        assert job.run() == 0
        model, state_folder = job.root / "model", job.root / "model" / "cl_state"
        buffer = (state_folder / "buffer.jsonl").read_text().splitlines()
        assert len(buffer) == 18 + 8 * (stage + 1)  # 24 old rows less 6 held out, then each stage's rows
        assert len((state_folder / "holdout.jsonl").read_text().splitlines()) == 6
        assert len(list((state_folder / "adapters").iterdir())) == stage + 1
        assert len(json.loads((state_folder / "task_matrix.json").read_text())["stages"]) == stage + 1
        if stage:
            assert job.history()[0]["olora"] > 0
    assert (state_folder / "fisher.safetensors").is_file()


def test_forgetting_stop_rolls_back_to_the_best_checkpoint(tmp_path, base, tiny_demo):
    sections = {
        "preset": "naive",
        "train": {"epochs": 30, "eval_steps": 2, "lr": 2e-3, "save_minutes": 0},
        "stop": {"old_loss_delta": 0.3, "patience": 2},
        "replay": {"mode": "replay", "ratio": 0.1},
        "loss": {"kl": 1e-6},
    }
    job = Job(tmp_path / "ml", base).config(**sections).rows("train", tiny_demo.poison[:60]).rows("replay", tiny_demo.old)
    assert job.run() == 0
    m = job.manifest["metrics"]
    assert m["stopped_early"] and m["steps"] < len(job.history())
    assert m["steps"] % 2 == 0  # one that was measured, though others were saved after it
    assert m["old_loss_after"] <= m["old_loss_before"] + 0.3


def test_gguf_order_of_rotary_halves_is_undone():
    from continual.gguf_import import unpermute

    heads, dim, width = 2, 4, 3
    w = torch.arange(heads * dim * width, dtype=torch.float32).reshape(heads * dim, width)
    interleaved = w.reshape(heads, 2, dim // 2, width).swapaxes(1, 2).reshape(heads * dim, width)
    assert torch.equal(unpermute(interleaved, heads), w)


def test_sharded_weights_are_read(tmp_path, raw_base):
    shutil.copytree(raw_base, tmp_path / "m")
    whole = load_file(raw_base / "model.safetensors")
    names = sorted(whole)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, keys in parts.items():
        save_file({k: whole[k] for k in keys}, tmp_path / "m" / file)
    (tmp_path / "m" / "model.safetensors").unlink()
    index = {"weight_map": {k: f for f, ks in parts.items() for k in ks}}
    (tmp_path / "m" / "model.safetensors.index.json").write_text(json.dumps(index))
    state = models.load(tmp_path / "m").model.state_dict()
    assert all(torch.equal(state[k], v) for k, v in whole.items())


def test_sdft_learns_from_its_own_samples_and_starts_below_plain_loss(tmp_path, base, tiny_demo):
    from continual import sdft

    cfg = config.parse({"schema": 1, "job": "train", "preset": "large", "params": {"first_layer": 0.0}}, "train")
    loaded = models.load(base)
    t = params.setup(loaded.model, cfg)
    forward = Forward(loaded, t)
    rows = [loaded.text.row(r, 64) for r in tiny_demo.learn[:4]]
    loss = sdft.SDFT(loaded, forward, cfg)
    value = loss(rows, 0)
    assert value.item() > 0 and value.item() == loss(rows, 0).item()
    assert len({loss(rows, step).item() for step in range(24)}) > 1, "each step draws samples of its own"
    assert gradient(t, value) > 0
    job, _ = run_and_load(tmp_path, base, tiny_demo, "sdft", preset="large", train={"max_steps": 3})
    plain, _ = run_and_load(tmp_path, base, tiny_demo, "plain", preset="large", train={"max_steps": 3, "trainer": "sft"})
    assert len(job.history()) == 3 and job.history()[0]["loss"] != plain.history()[0]["loss"]
