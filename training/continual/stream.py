"""What the scores of a stream of updates say together (T2): a stage is one update."""

import re
from typing import Any

from continual import metrics


def matrix(stages: list[dict[str, Any]], key: str) -> dict[str, Any]:
    """R over stages (rows) and what each of them learned (columns): its own rows, or the suite `new-<stage>`; and ACC, BWT, FWT
    and forgetting of what is known.

    FWT compares with the score before the stream, so it needs suites `new-<stage>` that were asked from the first update on.
    """
    names = list(dict.fromkeys(n for s in stages for n in s.get(key, {}) if learned_at(n) is not None))
    if not names:
        return {"names": [], "R": [], "acc": None, "bwt": None, "fwt": None, "forgetting": []}
    r = [[s.get(key, {}).get(n, {}).get("after") for n in names] for s in stages]
    start = [stages[0].get(key, {}).get(n, {}).get("before") for n in names]
    return {"names": names, "R": r, "before": start, **metrics.known(r, start, [learned_at(n) for n in names])}


def learned_at(name: str) -> int | None:
    """Stage (from 0) that learns a task `stage-<n>` or a suite `new-<n>`; None for another name."""
    found = re.fullmatch(r"(?:stage|new)-(\d+)", name)
    return int(found.group(1)) - 1 if found and int(found.group(1)) else None


def retention(stages: list[dict[str, Any]]) -> dict[str, Any]:
    """Protected suites over the whole stream: mean score when each was first asked, now, and the share that is kept."""
    names = [n for n in stages[-1].get("suites", {}) if not n.startswith("new")]
    if not names:
        return {"before": None, "after": None, "kept": None}
    first = [next(s["suites"][n]["before"] for s in stages if n in s.get("suites", {})) for n in names]
    before, after = sum(first) / len(names), sum(stages[-1]["suites"][n]["after"] for n in names) / len(names)
    return {"before": before, "after": after, "kept": after / before if before else None}
