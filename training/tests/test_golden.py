"""Every strategy's losses, or what its change after training leaves, from a fixed start and seed: pinned, and off when it is off.

Pinned on the tiny model before pretraining: a few steps from a fixed start agree across processors.
"""

import inspect
import shutil

import pytest
import test_failures
import test_strategies
import test_train
import test_wording
from conftest import TRAINING, Job

from continual import config

SHORT = {"epochs": 1, "batch_rows": 8}
NAIVE = {"preset": "naive", "train": SHORT}  # lr of the preset; whole weights learn at a twentieth of it
REPLAY = {"mode": "replay", "ratio": 0.5}
RANK4 = {"kind": "lora_corda", "r": 4, "alpha": 4}
OLD = {**NAIVE, "replay": {**REPLAY, "ce_weight": 0.5}}  # with old rows, some of them held out to be measured
WORDED = {**NAIVE, "train": {**SHORT, "epochs": 2}, "data": {"word_dropout": 0.5}}  # the second pass has fewer words
FAST = {**OLD, "train": {**SHORT, "lr": 0.02}}
GOLDEN = {
    "lwf": {**NAIVE, "loss": {"lwf": 50.0}},
    "l2sp": {**NAIVE, "loss": {"l2sp": 10.0}},
    "ewc": {**NAIVE, "loss": {"ewc": 10.0}},
    "ewc-full": {**NAIVE, "loss": {"ewc": 10.0}, "params": {"kind": "full"}},
    "olora": {**NAIVE, "loss": {"olora": 0.05}},
    "full": {**NAIVE, "params": {"kind": "full"}},
    "osf": {**NAIVE, "params": {"kind": "osf"}},
    "corda": {**NAIVE, "params": RANK4},
    "replay-ce": OLD,
    "replay-kl": {**NAIVE, "replay": REPLAY, "loss": {"kl": 50.0}},
    "features": {**NAIVE, "replay": REPLAY, "loss": {"features": 5.0}},
    "worded": WORDED,
    "cpt": {**NAIVE, "train": {**SHORT, "trainer": "cpt"}},
    "sdft": {**NAIVE, "train": {**SHORT, "trainer": "sdft", "max_steps": 2}},
}
AFTER = {
    "wise": {**FAST, "post": {"kind": "wise", "alphas": [0.5]}},
    "ties": {**FAST, "post": {"kind": "ties", "density": 0.3}},
    "dare": {**FAST, "post": {"kind": "dare", "density": 0.3}},
    "intruder": {**FAST, "post": {"kind": "intruder", "intruder_lambda": 1.0}},
}
CARRIED = ("olora", "ties")  # these look at the adapters of an earlier update
PINNED = {
    "lwf": [6.7794, 6.6698, 6.5655],
    "l2sp": [6.7794, 7.4506, 7.0116],
    "ewc": [6.7794, 7.1706, 7.0969],
    "ewc-full": [6.7794, 6.3396, 6.0916],
    "olora": [7.668, 7.3772, 7.047],
    "full": [6.7794, 6.2961, 5.9672],
    "osf": [6.7794, 6.6191, 6.5003],
    "corda": [6.7794, 6.801, 6.7854],
    "replay-ce": [6.7159, 6.6153, 6.8233, 6.3153, 6.297, 6.1485],
    "replay-kl": [3.3448, 3.4066, 3.347, 3.2945, 3.3852, 3.2052],
    "features": [3.3448, 3.569, 3.5492, 3.5741, 3.6491, 3.4479],
    "worded": [6.7794, 6.6394, 6.4606, 6.0958, 5.6981, 5.7128],
    "cpt": [6.7172, 6.7402, 6.6076],
    "sdft": [0.1054, 0.1137],
}
OTHERS = {"osf": PINNED["full"], "ewc-full": PINNED["full"], "worded": test_train.PINNED["naive"]}  # pinned without them
PINNED_AFTER = {  # old-data loss and KL to the previous model
    "wise": [3.8347, 0.7176],
    "ties": [3.9007, 0.4682],
    "dare": [3.886, 0.672],
    "intruder": [6.7782, 0.02865],
}


def ran(folder, model, tiny_demo, sections, carried=None) -> Job:
    job = Job(folder, model).config(**sections).rows("train", tiny_demo.learn[:24]).rows("replay", tiny_demo.old[:40])
    if carried:
        shutil.copytree(carried / "adapters", job.channel("cl_state") / "adapters")
        shutil.copy(carried / "task_matrix.json", job.channel("cl_state"))
    assert job.run() == 0, job.failure
    return job


@pytest.fixture(scope="module")
def earlier(tmp_path_factory, raw_base, tiny_demo):
    """An update before: its model and carried state."""
    return ran(tmp_path_factory.mktemp("earlier") / "ml", raw_base, tiny_demo, {**NAIVE, "seed": 3}).root / "model"


@pytest.fixture
def result(tmp_path, raw_base, tiny_demo, earlier):
    def of(name, sections):
        if name in CARRIED:
            return ran(tmp_path / name, earlier, tiny_demo, sections, earlier / "cl_state")
        return ran(tmp_path / name, raw_base, tiny_demo, sections)

    return of


def losses(job: Job) -> list[float]:
    return [h["loss"] for h in job.history()]


def left(job: Job) -> list[float]:
    return [job.manifest["metrics"][k] for k in ("old_loss_after", "kl")]


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_golden_losses(name, result):
    assert losses(result(name, GOLDEN[name])) == pytest.approx(PINNED[name], rel=2e-3)


@pytest.mark.parametrize("name", sorted(AFTER))
def test_golden_change_after_training(name, result):
    assert left(result(name, AFTER[name])) == pytest.approx(PINNED_AFTER[name], rel=5e-3)


def apart(a: list[float], b: list[float]) -> float:
    return max(abs(x / y - 1) for x, y in zip(a, b, strict=False))


@pytest.fixture(scope="module")
def plain(tmp_path_factory, raw_base, tiny_demo, earlier):
    """The same runs without any strategy: the first update's and the second's."""
    folder = tmp_path_factory.mktemp("plain")
    made = {(False, "losses"): ran(folder / "a", raw_base, tiny_demo, NAIVE), (False, "left"): ran(folder / "b", raw_base, tiny_demo, FAST)}
    made[True, "losses"] = ran(folder / "c", earlier, tiny_demo, NAIVE, earlier / "cl_state")
    made[True, "left"] = ran(folder / "d", earlier, tiny_demo, FAST, earlier / "cl_state")
    return made


@pytest.mark.parametrize("name", [*GOLDEN, *AFTER])
def test_the_pinned_values_are_not_those_without_the_strategy(name, plain):
    """A strategy that is switched off gives the plain values, which lie outside the tolerance of its pinned ones."""
    if name in AFTER:
        assert apart(PINNED_AFTER[name], left(plain[name in CARRIED, "left"])) > 2e-2, name
        return
    assert apart(PINNED[name], OTHERS[name] if name in OTHERS else losses(plain[name in CARRIED, "losses"])) > 5e-3, name


# Strategy -> the test that fails when it is switched off (a check of gradients, weights or choices) and its pinned values.
COVERED = {
    "data: replay": ("replay_ce_is_the_plain_loss_on_old_rows", "replay-ce"),
    "data: self_replay": ("self_replay_writes_rows_of_the_models_own_and_trains_on_them", "replay-kl"),
    "data: near": ("near_rows_begin_like_new_ones_are_the_models_own_and_are_not_carried_on", "replay-kl"),
    "data: word dropout": ("word_dropout_leaves_known_words_out_of_questions_asked_in_several_ways", "worded"),
    "data: reservoir": ("policies_choose_as_their_names_say", "replay-ce"),
    "data: stratified": ("policies_choose_as_their_names_say", "replay-ce"),
    "data: surprise": ("policies_choose_as_their_names_say", "replay-ce"),
    "loss: kl": ("a_term_is_zero_at_the_previous_model_and_pulls_back_once_it_moved", "replay-kl"),
    "loss: features": ("features_are_the_relative_change_of_the_final_states_on_old_rows", "features"),
    "loss: lwf": ("a_term_is_zero_at_the_previous_model_and_pulls_back_once_it_moved", "lwf"),
    "loss: ewc": ("ewc_weighs_by_the_fisher_diagonal", "ewc"),
    "loss: ewc, online": ("online_fisher_decays_the_previous_one", "ewc-full"),
    "loss: l2sp": ("a_term_is_zero_at_the_previous_model_and_pulls_back_once_it_moved", "l2sp"),
    "loss: olora": ("olora_penalises_overlap_with_earlier_adapters", "olora"),
    "params: full": ("stopped_twice_and_resumed_equals_uninterrupted_bit_for_bit", "full"),
    "params: lora": ("a_term_is_zero_at_the_previous_model_and_pulls_back_once_it_moved", "lwf"),
    "params: lora_corda": ("corda_starts_at_the_previous_model_in_its_least_used_directions", "corda"),
    "params: osf": ("osf_changes_only_the_low_singular_space", "osf"),
    "post: wise": ("wise_keeps_the_largest_share_within_the_tolerance", "wise"),
    "post: ties": ("ties_trims_elects_and_averages", "ties"),
    "post: dare": ("dare_keeps_the_expected_change", "dare"),
    "post: intruder": ("intruders_are_taken_out_of_the_adapter", "intruder"),
    "trainer: cpt": ("stopped_twice_and_resumed_equals_uninterrupted_bit_for_bit", "cpt"),
    "trainer: sdft": ("sdft_learns_from_its_own_samples_and_starts_below_plain_loss", "sdft"),
}


def test_every_strategy_of_the_schema_is_covered():
    known = {**vars(test_strategies), **vars(test_failures), **vars(test_wording)}
    for name, (test, golden) in COVERED.items():
        assert inspect.isfunction(known.get(f"test_{test}")), (name, test)
        assert golden in GOLDEN or golden in AFTER, name
    rules = config.schema_of("train")["properties"]

    def options(section, key):
        return set(rules[section]["properties"][key]["enum"]) - {"none", "both", "sft"}

    want = {f"params: {k}" for k in options("params", "kind")} | {f"post: {k}" for k in options("post", "kind")}
    want |= {f"data: {k}" for k in options("replay", "mode") | options("replay", "policy")} | {f"trainer: {k}" for k in options("train", "trainer")}
    want |= {f"loss: {k}" for k in rules["loss"]["properties"] if "_" not in k}
    assert not want - set(COVERED)


def test_the_readme_shows_the_same_table():
    text = (TRAINING / "README.md").read_text()
    for name, (test, golden) in COVERED.items():
        assert f"| {name} | `{test}` | `{golden}` |" in text, name
