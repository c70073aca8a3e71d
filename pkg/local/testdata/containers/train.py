"""A stand-in for training/train.py: remembers the rows it saw."""

import json

import container as c

c.wait_for(c.TEST / "let-go")
seen = c.rows("train")
with (c.TEST / "trainings").open("a") as log:
    log.write(json.dumps({"root": str(c.ROOT), "rows": len(seen)}) + "\n")
parent = json.loads((c.DATA / "model" / "manifest.json").read_text())["digest"]
model = c.ROOT / "model"
(model / "config.json").write_text("{}")
(model / "model.safetensors").write_text(json.dumps({"parent": parent, "rows": seen}))
c.write_manifest(model, parent)
