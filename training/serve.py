"""Serve the model in <root>/model: GET /ping, POST /invocations (OpenAI-shaped chat and completions, streaming).

    PERENNIAL_ML_ROOT=/tmp/job SERVE_PORT=0 python serve.py

SERVE_HOST (127.0.0.1) and SERVE_PORT (8080; 0 picks a free one) set the address; output/serve.port holds the port once
the model is loaded. SIGTERM lets running answers end.
"""

import sys

from continual import awake
from continual.contract import run_job


def main() -> int:
    """Serve under the root of the environment."""
    awake()
    from continual.serve_job import serve

    return run_job(serve)


if __name__ == "__main__":
    sys.exit(main())
