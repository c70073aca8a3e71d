"""Products give the same numbers by whichever library and in whichever form they are computed."""

import pytest
import torch
import torch.nn.functional as F

from continual import config, lora, models, params, product

ROWS = [1, 2, 3, 8, 9, 96, 97, 200]


def close(ours, other):
    """Equal but for the order of sums."""
    torch.testing.assert_close(ours, other, rtol=1e-5, atol=1e-4)


def weights(n: int) -> torch.Tensor:
    """What flows back to each of 40 results."""
    return torch.randn(n, 40, generator=torch.Generator().manual_seed(n))


@pytest.fixture(params=["Intel", "AMD"])
def maker(request, monkeypatch):
    monkeypatch.setattr(product, "_amd", lambda: request.param == "AMD")
    return request.param


@pytest.mark.parametrize("n", ROWS)
def test_a_product_is_that_of_torch_for_any_number_of_rows(maker, threads, n):
    threads(2)
    x, w = torch.randn(n, 24), torch.randn(40, 24)
    close(product.linear(x, w), F.linear(x, w))


@pytest.mark.parametrize("n", ROWS)
def test_a_weight_may_be_a_view_of_another(maker, n):
    x, w = torch.randn(n, 24), torch.randn(24, 40)
    close(product.linear(x, w.T), x @ w)
    close(product.linear(x[:, :12], w[:12, 3:30].T), x[:, :12] @ w[:12, 3:30])


@pytest.mark.parametrize("n", ROWS)
def test_gradients_are_those_of_torch(maker, n):
    x, w = torch.randn(n, 24, requires_grad=True), torch.randn(40, 24, requires_grad=True)
    close(*(torch.autograd.grad(f(x, w), (x, w), weights(n)) for f in (product.linear, F.linear)))


@pytest.mark.parametrize("n", ROWS)
def test_an_adapted_product_and_its_gradients_are_those_of_its_formula(n):
    w, scale = torch.randn(40, 24), 2.0
    x, a, b = (torch.randn(s, requires_grad=True) for s in ((n, 24), (4, 24), (40, 4)))
    ours, plain = product.Adapted.apply(x, w, a, b, scale), F.linear(x, w) + scale * F.linear(F.linear(x, a), b)
    close(ours, plain)
    close(*(torch.autograd.grad(y, (x, a, b), weights(n)) for y in (ours, plain)))


def test_bfloat16_and_layers_of_other_shapes_take_torchs_way():
    x, w = torch.randn(3, 24, dtype=torch.bfloat16), torch.randn(40, 24, dtype=torch.bfloat16)
    torch.testing.assert_close(product.linear(x, w), F.linear(x, w))
    assert not product.fast(torch.randn(2, 3, 24), torch.randn(40, 24))


def test_what_flows_back_through_an_eased_weight_is_rounded_and_the_product_is_not(monkeypatch):
    monkeypatch.setattr(product, "_amd", lambda: True)
    w, a, b = torch.randn(40, 24), torch.randn(4, 24, requires_grad=True), torch.randn(40, 4, requires_grad=True)
    x = torch.randn(30, 24, requires_grad=True)

    def both() -> list[tuple[torch.Tensor, ...]]:
        return [(y.detach(), *torch.autograd.grad(y, x, weights(30))) for y in (product.linear(x, w), product.Adapted.apply(x, w, a, b, 2.0))]

    exact = both()
    product.ease(w)
    for (y, dx), (y_eased, dx_eased) in zip(exact, both(), strict=True):
        assert torch.equal(y, y_eased) and not torch.equal(dx, dx_eased)
        torch.testing.assert_close(dx_eased, dx, rtol=0.02, atol=0.2)


@pytest.mark.parametrize(("halves", "dtype", "eased"), [(True, "auto", True), (True, "float32", False), (False, "auto", False)])
def test_gradients_pass_in_bfloat16_only_where_that_is_faster_and_no_type_was_asked_for(monkeypatch, base, halves, dtype, eased):
    monkeypatch.delenv("PERENNIAL_DTYPE", raising=False)
    monkeypatch.setattr(product, "halves", lambda: halves)
    model = models.load(base, "float32").model
    cfg = config.parse({"schema": 1, "job": "train", "model": {"dtype": dtype}, "params": {"first_layer": 0.5, "targets": "mlp"}}, "train")
    first = params.setup(model, cfg).first
    marked = {lora.layer_of(n) for n, w in model.named_parameters() if hasattr(w, "eased")}
    assert marked == (set(range(first, model.depth)) if eased else set())
