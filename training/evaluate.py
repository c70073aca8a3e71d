"""Score a model on locked benchmarks, one result line per item.

    PERENNIAL_ML_ROOT=/tmp/job python evaluate.py

Channels below input/data: config (eval.json), model (model folder), benchmark (<name>/lock.json and items.jsonl).
Writes model/results.jsonl and model/summary.json. Exit codes as for train.py.
"""

import sys

from continual.contract import Root, Stop, run_job


def main() -> int:
    """Run the job under the root of the environment; SIGTERM is heeded before torch is imported."""
    return run_job(job)


def job(root: Root, stop: Stop) -> None:
    """Import the job, which takes seconds, and run it."""
    from continual.evaluate_job import evaluate

    evaluate(root, stop)


if __name__ == "__main__":
    sys.exit(main())
