"""Score a model on locked benchmarks, one result line per item.

    PERENNIAL_ML_ROOT=/tmp/job python evaluate.py

Channels below input/data: config (eval.json), model (model folder), benchmark (<name>/lock.json and items.jsonl).
Writes model/results.jsonl and model/summary.json. Exit codes as for train.py.
"""

import sys

from continual.contract import run_job


def main() -> int:
    """Run the job under the root of the environment."""
    from continual.evaluate_job import evaluate

    return run_job(evaluate)


if __name__ == "__main__":
    sys.exit(main())
