"""Train the next version of a model.

    PERENNIAL_ML_ROOT=/tmp/job python train.py

Channels below input/data: config (run.json), model (parent folder), train (*.jsonl), and optionally cl_state, replay.
Exit codes: 0 done, 2 configuration, 3 data, 4 training failed, 143 checkpointed on SIGTERM.
"""

import sys

from continual.contract import Root, Stop, run_job


def main() -> int:
    """Run the job under the root of the environment; SIGTERM is heeded before torch is imported."""
    return run_job(job)


def job(root: Root, stop: Stop) -> None:
    """Import the job, which takes seconds, and run it."""
    from continual.train_job import train

    train(root, stop)


if __name__ == "__main__":
    sys.exit(main())
