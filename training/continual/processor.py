"""What the system says of the processor."""

from functools import cache
from pathlib import Path


@cache
def has(word: str) -> bool:
    """Whether its description holds `word`: a maker or an instruction set."""
    try:
        return word in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
