"""A stand-in for training/train.py: remembers the rows it saw."""

import json

import container as c

config = json.loads((c.DATA / "config" / "run.json").read_text())
wait_until = config.get("waitUntil", "")
c.wait_for(wait_until)
seen = c.rows("train")
if config.get("log"):
    with open(config["log"], "a") as log:
        log.write(json.dumps({"root": str(c.ROOT), "rows": len(seen)}) + "\n")
parent = json.loads((c.DATA / "model" / "manifest.json").read_text())["digest"]
model = c.ROOT / "model"
(model / "config.json").write_text("{}")
(model / "model.safetensors").write_text(json.dumps({"parent": parent, "rows": seen}))
c.write_manifest(model, parent)
