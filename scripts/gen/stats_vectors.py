"""Reference values for pkg/stats, from scipy and statsmodels, written to pkg/stats/testdata/vectors.json.

Usage, from the repository root, in a throw-away environment:
    python -m venv /tmp/vectors && /tmp/vectors/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    /tmp/vectors/bin/python scripts/gen/stats_vectors.py
"""

import itertools
import json
import math
from pathlib import Path

import numpy as np
from scipy import integrate, optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint


def tango_z(b, c, n, delta):
    """Tango's score with the nuisance found by maximizing the multinomial likelihood numerically."""

    def negative(q):
        first, second = q + delta, q
        rest = 1 - first - second
        parts = [(b, first), (c, second), (n - b - c, rest)]
        return -sum(k * math.log(max(p, 1e-300)) for k, p in parts if k > 0)

    low, high = max(0, -delta) + 1e-14, (1 - delta) / 2 - 1e-14
    q = optimize.minimize_scalar(negative, bounds=(low, high), method="bounded", options={"xatol": 1e-14}).x
    return (b - c - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta)))


def tango_interval(b, c, n):
    """Two-sided 95% interval by root finding."""
    z, d = stats.norm.ppf(0.975), (b - c) / n
    eps = 1e-9
    low = optimize.brentq(lambda x: tango_z(b, c, n, x) - z, -1 + eps, d - eps, xtol=1e-12)
    high = optimize.brentq(lambda x: tango_z(b, c, n, x) + z, d + eps, 1 - eps, xtol=1e-12)
    return [low, high]


def tango():
    """Scores and intervals at two margins."""
    cases = [(12, 8, 100), (1, 9, 60), (40, 55, 1000), (3, 1, 50), (120, 130, 2000)]
    out = []
    for (b, c, n), delta in itertools.product(cases, [-0.03, 0.01]):
        out.append({"b": b, "c": c, "n": n, "delta": delta, "z": tango_z(b, c, n, delta), "ci": tango_interval(b, c, n)})
    return out


def mcnemar_cases():
    """Exact p-values, one- and two-sided."""
    out = []
    for b, c in [(0, 0), (0, 5), (5, 0), (3, 9), (20, 41), (100, 120), (1000, 1100), (50000, 50400)]:
        both = mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1.0
        out.append({"b": b, "c": c, "worse": float(stats.binom.cdf(b, b + c, 0.5)), "twoSided": min(1.0, float(both))})
    return out


def binomial_cases():
    """Lower tails."""
    cases = [(0, 10, 0.1), (3, 10, 0.1), (10, 10, 0.5), (500, 10000, 0.05), (560, 10000, 0.05), (7, 1000, 0.001)]
    return [{"k": k, "n": n, "p": p, "cdf": float(stats.binom.cdf(k, n, p))} for k, n, p in cases]


def multiple():
    """Adjusted p-values by Holm and by Benjamini and Hochberg."""
    lists = [[0.01, 0.04, 0.03, 0.005], [0.2, 0.2, 0.001], [1.0, 0.5], [0.049], [0.001, 0.002, 0.003, 0.9, 0.04, 0.04]]
    return [
        {
            "p": p,
            "holm": multipletests(p, method="holm")[1].tolist(),
            "bh": multipletests(p, method="fdr_bh")[1].tolist(),
        }
        for p in lists
    ]


def normal():
    """Distribution and quantiles."""
    return [
        {"x": x, "cdf": float(stats.norm.cdf(x)), "p": p, "quantile": float(stats.norm.ppf(p))}
        for x, p in [(-8, 1e-9), (-1.96, 0.025), (0, 0.5), (0.3, 0.8), (1.645, 0.95), (4, 0.999999)]
    ]


def wilson():
    """95% intervals of a proportion."""
    return [
        {"k": k, "n": n, "ci": list(proportion_confint(k, n, alpha=0.05, method="wilson"))} for k, n in [(0, 10), (1, 20), (50, 100), (997, 1000)]
    ]


def clustered():
    """Miller's clustered standard error without the added flip, by statsmodels' cluster covariance."""
    import statsmodels.api as sm

    rng = np.random.default_rng(7)
    d = rng.integers(-1, 2, size=120).astype(float)
    groups = rng.integers(0, 60, size=120)
    fit = sm.OLS(d, np.ones(120)).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    return {"d": d.tolist(), "groups": groups.tolist(), "se": float(fit.bse[0])}


def sign_flip():
    """Exact one-sided p-value over all sign patterns."""
    d = [0.5, -0.25, 1.0, 0.0, 0.75, -0.5, 0.25, 1.0]
    result = stats.permutation_test(
        (d,), lambda x, axis: np.sum(x, axis=axis), permutation_type="samples", alternative="greater", n_resamples=10**6, vectorized=True
    )
    return {"d": d, "p": float(result.pvalue)}


def power():
    """Sample sizes and detectable effects (80%, one-sided, variance psi) by solving the normal power equation."""

    def lacks(n, effect, psi, alpha):
        return stats.norm.sf(stats.norm.isf(alpha), loc=effect * math.sqrt(n / psi)) - 0.8

    out = []
    for psi, delta, alpha in [(0.1, 0.01, 0.05), (0.1, 0.03, 0.05), (0.02, 0.005, 0.05), (0.25, 0.08, 0.01)]:
        n = optimize.brentq(lacks, 1, 10**7, args=(delta, psi, alpha), xtol=1e-9)
        mde = optimize.brentq(lambda e, p=psi, a=alpha: lacks(300, e, p, a), 1e-6, 1, xtol=1e-14)
        out.append({"psi": psi, "delta": delta, "alpha": alpha, "n": math.ceil(n - 1e-6), "mde300": mde})
    return out


def pooled():
    """A weighted mean of three strata's differences and its standard error, as a linear contrast of the strata."""
    rng = np.random.default_rng(11)
    data = [rng.choice([-1.0, 0.0, 1.0], size=n, p=[0.06, 0.9, 0.04]) for n in (200, 300, 541)]
    weights = [1.0, 2.0, 0.5]
    # The smoothed variance of each mean: that of the items and of half a flip up and half a flip down in two more.
    variances = [np.var([*d, math.sqrt(0.5), -math.sqrt(0.5)]) / len(d) for d in data]
    contrast = np.array(weights) / sum(weights)
    se = math.sqrt(float(contrast @ np.diag(variances) @ contrast))
    return {"d": [d.tolist() for d in data], "weights": weights, "estimate": float(contrast @ [np.mean(d) for d in data]), "se": se}


def mixture():
    """The mixture likelihood ratio by integrating over the prior numerically."""
    out = []
    for n, variance, tau, x in [(40, 0.5, 0.2, 0.1), (500, 0.3, 0.2, -0.08), (30, 1.0, 0.05, 0.4)]:

        def ratio(theta, n=n, variance=variance, x=x, tau=tau):
            return math.exp(n * (theta * x - theta * theta / 2) / variance) * stats.norm.pdf(theta, 0, tau)

        peak = x * n * tau**2 / (variance + n * tau**2)
        value, _ = integrate.quad(ratio, -2, 2, points=[peak], epsabs=0, epsrel=1e-12, limit=500)
        out.append({"n": n, "variance": variance, "tau": tau, "x": x, "lr": value})
    return out


def e_process():
    """E after each tick, from scipy's binomial likelihoods under the bets and under the one pooled rate."""
    ticks = [(20, 0, 20, 1), (200, 2, 200, 9), (0, 0, 50, 3), (120, 1, 0, 0), (300, 4, 290, 21)]
    bets, base_n, base_k, out = np.zeros(5), 0, 0, []
    for na, ka, nb, kb in ticks:
        a = (base_k + 0.5) / (base_n + 50)
        for i, r in enumerate([1, 1.5, 2.5, 4, 8]):
            b = min(0.99, a * 1.2 * r)
            both = (na * a + nb * b) / (na + nb)
            bets[i] += stats.binom.logpmf(ka, na, a) + stats.binom.logpmf(kb, nb, b)
            bets[i] -= stats.binom.logpmf(ka, na, both) + stats.binom.logpmf(kb, nb, both)
        base_n, base_k = base_n + na, base_k + ka
        out.append({"tick": [na, ka, nb, kb], "e": float(np.exp(bets).mean())})
    return out


def main():
    """Write the file."""
    out = {
        "tango": tango(),
        "mcnemar": mcnemar_cases(),
        "binomial": binomial_cases(),
        "multiple": multiple(),
        "normal": normal(),
        "wilson": wilson(),
        "clustered": clustered(),
        "signFlip": sign_flip(),
        "power": power(),
        "pooled": pooled(),
        "mixture": mixture(),
        "eProcess": e_process(),
    }
    path = Path("pkg/stats/testdata/vectors.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
