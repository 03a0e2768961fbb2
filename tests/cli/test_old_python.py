"""`python -m lepbench` in a checkout, on a Python that is too old."""

from __future__ import annotations

import runpy
import sys

import pytest


def test_a_python_that_is_too_old_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 13, "final", 0))
    monkeypatch.setattr(sys, "version", "3.10.13 (main)")
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("lepbench", run_name="__main__")
    assert ended.value.code == 2
    told = capsys.readouterr()
    assert told.err == "lepbench: Python 3.10.13 is too old; use 3.11 or newer\n"
    assert not told.out
