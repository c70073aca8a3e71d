"""Forgetting measured over a stream of updates (T2): R[i][j] is the score on task j after stage i, b[j] before the stream.

ACC, BWT and FWT as in GEM (arXiv 1706.08840), forgetting as in Chaudhry et al. (1801.10112).
"""

from typing import Any


def stream(r: list[list[float]], before: list[float]) -> dict[str, Any]:
    """ACC, BWT, FWT and forgetting F_j of a square matrix with T stages; BWT and FWT are None for one stage."""
    n = len(r)
    if any(len(row) != n for row in r) or len(before) != n or n == 0:
        raise ValueError("R must be square, with one score before the stream per task")
    last = r[-1]
    many = n > 1
    return {
        "acc": sum(last) / n,
        "bwt": sum(last[j] - r[j][j] for j in range(n - 1)) / (n - 1) if many else None,
        "fwt": sum(r[j - 1][j] - before[j] for j in range(1, n)) / (n - 1) if many else None,
        "forgetting": [max(r[i][j] for i in range(j, n - 1)) - last[j] for j in range(n - 1)],
    }


def known(r: list[list[float | None]], before: list[float | None], learned: list[int]) -> dict[str, Any]:
    """The same measures of a matrix with gaps: task j is learned at stage learned[j], cells that nobody asked are None, and
    each measure is over the tasks that have its cells; None where there is none."""
    last, final = r[-1], len(r) - 1
    columns = range(len(learned))
    earlier = [j for j in columns if learned[j] < final and last[j] is not None]
    pasts = {j: [v for row in r[learned[j] : final] if (v := row[j]) is not None] for j in earlier}
    return {
        "acc": _mean([last[j] for j in columns]),
        "bwt": _mean([last[j] - r[learned[j]][j] for j in earlier if r[learned[j]][j] is not None]),
        "fwt": _mean([_minus(r[learned[j] - 1][j], before[j]) for j in columns if 0 < learned[j] <= final]),
        "forgetting": [max(pasts[j]) - last[j] if pasts.get(j) else None for j in columns],
    }


def _minus(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b


def _mean(values: list[float | None]) -> float | None:
    there = [v for v in values if v is not None]
    return sum(there) / len(there) if there else None


def ratios(run: dict[str, float], naive: dict[str, float]) -> dict[str, float | None]:
    """FR = loss of old score / naive's loss, GR = gain of new score / naive's gain; None where naive lost or gained nothing.

    Each side: new_before, new_after, old_before, old_after in [0, 1].
    """
    return {
        "fr": share(run["old_before"] - run["old_after"], naive["old_before"] - naive["old_after"]),
        "gr": share(run["new_after"] - run["new_before"], naive["new_after"] - naive["new_before"]),
    }


def share(part: float, whole: float) -> float | None:
    """part / whole; None where the whole is no more than nothing."""
    return part / whole if whole > 0 else None


def interval(values: list[float]) -> tuple[float, float]:
    """Mean and half width of the 95% t interval over seeds; the width is 0 for one seed."""
    n = len(values)
    mean = sum(values) / n
    if n < 2:
        return mean, 0.0
    spread = (sum((v - mean) ** 2 for v in values) / (n - 1)) ** 0.5
    t = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365}.get(n, 2.0)
    return mean, t * spread / n**0.5
