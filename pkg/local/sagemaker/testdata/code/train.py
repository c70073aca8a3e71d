"""Stands in for a trainer: the container contract without a model. Hyperparameters say what to do."""

import json
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(os.environ["PERENNIAL_ML_ROOT"])
stopped = False


def on_term(*_):
    global stopped
    stopped = True


def fail(code, message):
    (ROOT / "output" / "failure").write_text(message)
    sys.exit(code)


def main():
    signal.signal(signal.SIGTERM, on_term)
    hp = json.loads((ROOT / "input/config/hyperparameters.json").read_text())
    channels = json.loads((ROOT / "input/config/inputdataconfig.json").read_text())
    rows = sum(len(p.read_text().splitlines()) for p in sorted((ROOT / "input/data/train").rglob("*.jsonl")))
    print(f"rows {rows} channels {sorted(channels)}")
    if hp.get("fail"):
        fail(int(hp["fail"]), "data: channel train: line 7 is not JSON")
    checkpoint = ROOT / "checkpoints" / "step"
    step = int(checkpoint.read_text()) if checkpoint.exists() else 0
    done = ROOT / "output" / "data" / "steps.txt"
    while step < int(hp.get("steps", "3")):
        step += 1
        with done.open("a") as f:
            f.write(f"{step}\n")
        checkpoint.write_text(str(step))
        print(f"[perennial] step={step} loss={1 / step:.3f} note=fine", flush=True)
        while step == int(hp.get("hold", "0")) and not Path(hp["until"]).exists() and not stopped:
            time.sleep(0.01)
        if stopped:
            print("stopped at", step)
            sys.exit(143)
    (ROOT / "model" / "weights").mkdir(exist_ok=True)
    (ROOT / "model" / "weights" / "w.bin").write_text(f"rows={rows} steps={step}")


main()
