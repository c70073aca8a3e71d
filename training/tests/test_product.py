"""Products give the same numbers by whichever library and in whichever form they are computed."""

import pytest
import torch
import torch.nn.functional as F

from continual import product

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
