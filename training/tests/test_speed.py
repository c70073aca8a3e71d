"""The command that measures speed."""

import re

from continual.__main__ import main


def test_bench_prints_a_line_a_figure(base, capsys):
    assert main(["bench", "--model", str(base), "--only", "memory,streams"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"memory +\d+ threads read \d+\.\d GB/s", shown)
    assert len(re.findall(r"streams +\d+ streams: \d+\.\d tokens/s", shown)) == 3


def test_an_unknown_part_is_refused(base, capsys):
    assert main(["bench", "--model", str(base), "--only", "steps,x"]) == 2
    assert "--only: x: must be among" in capsys.readouterr().err
