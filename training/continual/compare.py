"""Two evaluations of the same locked items, paired item by item (B5). Intervals and verdicts are the gate's
(`bin/perennial gate` reads the same result lines): a probability is computed in one place only."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from continual.errors import DataError


@dataclass
class Row:
    """One benchmark: old and new mean, items gained (now right) and forgotten (now worse)."""

    name: str
    n: int = 0
    old: float = 0.0
    new: float = 0.0
    gained: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)


def pair(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[Row]:
    """Rows by benchmark; DataError when the two sides did not see the same items under the same locks."""
    after = {_key(r): r for r in new}
    if {_key(r) for r in old} != set(after):
        raise DataError("compare: the two results hold different items or locks; evaluate both models on the same benchmark")
    rows: dict[str, Row] = defaultdict(lambda: Row(""))
    for a in old:
        b, row = after[_key(a)], rows[a["benchmark"]]
        row.name, row.n = a["benchmark"], row.n + 1
        row.old, row.new = row.old + a["score"], row.new + b["score"]
        if b["score"] != a["score"]:
            (row.gained if b["score"] > a["score"] else row.forgotten).append(a["item"])
    for row in rows.values():
        row.old, row.new = row.old / row.n, row.new / row.n
    return list(rows.values())


def table(rows: list[Row]) -> str:
    """Markdown: one line a benchmark, then the items forgotten."""
    lines = ["| benchmark | items | old | new | difference | gained | forgotten |", "|---|---|---|---|---|---|---|"]
    lines += [f"| {r.name} | {r.n} | {r.old:.3f} | {r.new:.3f} | {r.new - r.old:+.3f} | {len(r.gained)} | {len(r.forgotten)} |" for r in rows]
    lost = [f"forgotten in {r.name}: {', '.join(r.forgotten[:20])}{' …' if len(r.forgotten) > 20 else ''}" for r in rows if r.forgotten]
    return "\n".join([*lines, *lost])


def _key(r: dict[str, Any]) -> tuple[str, str, str]:
    return r["benchmark"], r["lock"], r["item"]
