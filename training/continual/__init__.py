"""Continual learning for Perennial: train a next version of a model without losing what it knew (T1, T2)."""

__version__ = "1.0.0"

import os

# Before torch loads OpenMP: a waiting thread yields its core. With the default (spinning) a small matrix product takes
# 20 times longer as soon as another process shares the cores (measured: 23 ms against 0.8 ms).
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


SPIN = "30000"  # turns that a server's waiting threads stay awake: about a tenth of a millisecond


def awake() -> None:
    """Let waiting threads stay awake a while, as a server's do (pace.py). Before torch is loaded."""
    os.environ.setdefault("GOMP_SPINCOUNT", SPIN)
