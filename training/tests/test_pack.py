"""What is not computed: padding, shared beginnings twice, tokens that predict nothing (item: speed)."""

import pytest
import torch

from continual import llama, models
from continual.generate import Request, generate
from continual.pack import tree

ROWS = [[5, 6, 7, 8, 9], [5, 6, 7, 20], [5, 6, 7, 8, 9, 10, 11], [30, 6, 7]]
ONCE = 5 + 1 + 2 + 3  # tokens of ROWS when what they begin with alike is there once


@pytest.fixture
def net(raw_base) -> llama.Llama:
    return models.load(raw_base).model


def rows_seen(module: torch.nn.Module) -> list[int]:
    """Tokens of each later call of a layer."""
    seen: list[int] = []
    module.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    return seen


def test_rows_that_begin_alike_share_tokens():
    t = tree(ROWS)
    assert len(t.ids) == ONCE
    assert [[t.ids[k] for k in w] for w in t.where] == ROWS
    assert t.where[0] == t.where[2][:5] and t.where[3][1] not in t.where[0]
    flat = [x for r in ROWS for x in r]
    assert [flat[k] for k in t.first] == t.ids


def test_rows_of_different_adapters_share_nothing():
    assert len(tree(ROWS, ["a", "b", "a", None]).ids) == 7 + 4 + 3


def test_shared_tokens_give_the_states_and_gradients_of_rows_apart(net):
    apart = torch.cat([torch.tensor(r) for r in ROWS])
    lengths = list(map(len, ROWS))
    t = net.tree(ROWS)
    order = torch.tensor([k for w in t.where for k in w])
    weight = net.model.layers[0].self_attn.v_proj.weight.requires_grad_(True)
    mixed = torch.randn(len(apart), net.c.hidden_size, generator=torch.Generator().manual_seed(0))
    grads = []
    for states in (net.features(apart, lengths), net.run(net.embed(torch.tensor(t.ids)), net.placed(t))[order]):
        grads.append((states.detach(), torch.autograd.grad((states * mixed).sum(), weight)[0]))
    for a, b in zip(*grads, strict=True):
        torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-3)


@torch.no_grad()
def test_the_last_layer_computes_only_what_is_asked_for(net):
    t = net.tree(ROWS)
    x, pack, only = net.embed(torch.tensor(t.ids)), net.placed(t), torch.tensor([4, 7])
    first, last = (rows_seen(net.model.layers[i].mlp.gate_proj) for i in (0, -1))
    torch.testing.assert_close(net.run(x, pack, only=only), net.run(x, pack)[only])
    assert first[0] == ONCE and last == [2, ONCE]


@torch.no_grad()
def test_a_shared_prompt_is_read_once_and_answered_as_if_alone(net):
    seen = rows_seen(net.model.layers[0].mlp.gate_proj)
    together = [Request(r, 6) for r in ROWS]
    generate(net, together)
    assert seen[0] == ONCE
    for r, prompt in zip(together, ROWS, strict=True):
        alone = Request(prompt, 6)
        generate(net, [alone])
        assert r.out == alone.out
