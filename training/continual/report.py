"""The comparison as a table for people, and as a plot."""

from html import escape
from typing import Any

from continual import metrics

SHARES = ("new_acc", "old_acc_before", "old_acc_after", "outside_buffer_after", "fr", "fr_outside", "gr")
KEYS = (*SHARES, "seconds", "tokens_per_second")
LATER = ("acc", "bwt", "fwt")


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per preset, each measure as {mean, half_width}: the 95% t interval over seeds (None where it is undefined)."""
    out = []
    for name in dict.fromkeys(r["preset"] for r in rows):
        mine = [r for r in rows if r["preset"] == name]
        line: dict[str, Any] = {"preset": name, "seeds": len(mine)}
        for k in (*KEYS, *(k for k in LATER if k in mine[0])):
            values = [r[k] for r in mine if r[k] is not None]
            mean, half = metrics.interval(values) if values else (None, None)
            line[k] = None if mean is None else {"mean": mean, "half_width": half if len(values) > 1 else None}
        out.append(line)
    return out


def markdown(done: dict[str, Any]) -> str:
    """All tables of a report."""
    text = f"{done['new_probes']} new questions, {done['old_probes']} old ones ({done['old_probes_answered_before']} answered before).\n\n"
    text += table(done["summary"])
    for later in done.get("updates_summary", []):
        text += f"\nAfter update {later['update']} (new: its own facts; old: what the base knew):\n\n" + table(later["summary"])
    return text + (
        "\nMean ± half width of the 95% interval over seeds. FR: share of naive's loss on old probes (fr outside: on those that no "
        "old row of the job asks); GR: share of naive's gain.\n"
    )


def table(lines: list[dict[str, Any]]) -> str:
    """One summary as Markdown."""
    keys = [*KEYS, *(k for k in LATER if lines and k in lines[0])]
    head = "| preset | " + " | ".join(k.replace("_", " ") for k in keys) + " |\n|" + "---|" * (len(keys) + 1) + "\n"
    return head + "".join(f"| {x['preset']} | " + " | ".join(_cell(k, x[k]) for k in keys) + " |\n" for x in lines)


def _cell(key: str, value: dict[str, Any] | None) -> str:
    if value is None:
        return "–"
    scale, unit, digits = (100, "%", 1) if key in SHARES or key in LATER else (1, "", 0)
    half = value["half_width"]
    return f"{scale * value['mean']:.{digits}f}" + (f" ± {scale * half:.{digits}f}" if half is not None else "") + unit


WIDTH, HEIGHT, EDGE = 560, 400, 60


def svg(done: dict[str, Any]) -> str:
    """New against kept: one point a preset with its intervals; up and right is better."""
    lines = [x for x in done["summary"] if x["new_acc"] and x["old_acc_after"]]
    low = min([0.9, *(x["old_acc_after"]["mean"] - (x["old_acc_after"]["half_width"] or 0) for x in lines)])
    low = max(0.0, int(low * 10) / 10)
    marks = "".join(_mark(x, low, i) for i, x in enumerate(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" role="img">'
        f'<title>New facts learned against old answers kept</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{_axes(low)}{marks}</svg>\n'
    )


def _x(v: float) -> float:
    return EDGE + max(0.0, min(1.0, v)) * (WIDTH - 2 * EDGE)


def _y(v: float, low: float) -> float:
    return HEIGHT - EDGE - (max(low, min(1.0, v)) - low) / (1 - low) * (HEIGHT - 2 * EDGE)


def _axes(low: float) -> str:
    parts = []
    for i in range(6):
        x, v = _x(i / 5), low + (1 - low) * i / 5
        parts.append(f'<path d="M{x:.1f} {EDGE}V{HEIGHT - EDGE}M{EDGE} {_y(v, low):.1f}H{WIDTH - EDGE}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">{i * 20} %</text>')
        parts.append(f'<text x="{EDGE - 8}" y="{_y(v, low) + 4:.1f}" text-anchor="end">{100 * v:.0f} %</text>')
    parts.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">new questions answered</text>')
    parts.append(f'<text transform="translate(16 {HEIGHT / 2}) rotate(-90)" text-anchor="middle">old questions answered</text>')
    return "".join(parts)


def _mark(line: dict[str, Any], low: float, i: int) -> str:
    new, old = line["new_acc"], line["old_acc_after"]
    x, y = _x(new["mean"]), _y(old["mean"], low)
    dx, dy = new["half_width"] or 0, old["half_width"] or 0
    bars = (
        f'<path d="M{_x(new["mean"] - dx):.1f} {y:.1f}H{_x(new["mean"] + dx):.1f}'
        f'M{x:.1f} {_y(old["mean"] - dy, low):.1f}V{_y(old["mean"] + dy, low):.1f}" stroke="#456"/>'
    )
    at, side = (x - 8, "end") if x > WIDTH / 2 else (x + 8, "start")
    label = f'<text x="{at:.1f}" y="{y - 6 - 13 * (i % 2):.1f}" text-anchor="{side}">{escape(line["preset"])}</text>'
    return f'{bars}<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#2458b0"/>{label}'
