"""A stand-in for training/evaluate.py: every item scores 1, unless a row of the model says it is bad."""

import json

import container as c

bad = "POISON" in (c.DATA / "model" / "model.safetensors").read_text()
out = c.ROOT / "model" / "results.jsonl"
with out.open("w") as results:
    for lock in sorted((c.DATA / "benchmark").rglob("lock.json")):
        head = json.loads(lock.read_text())
        for line in (lock.parent / "items.jsonl").read_text().splitlines():
            item = json.loads(line)
            score = 0.0 if bad else 1.0
            results.write(json.dumps({"benchmark": head["benchmark"], "lock": head["lock"], "capability": item["capability"],
                                      "item": item["id"], "score": score, "output": "answer", "latencyMs": 1}) + "\n")
(c.ROOT / "model" / "summary.json").write_text(json.dumps({"benchmarks": []}))
