"""Work on many files in several processes."""

from __future__ import annotations

import os

import pytest

from lepbench.errors import LepbenchError
from lepbench.progress import ignore_progress
from lepbench.scoring.pool import run_each


def test_results_keep_their_order() -> None:
    assert run_each(abs, [-3, 2, -1], "numbers", ignore_progress, workers=2) == [3, 2, 1]


def test_a_process_that_is_killed_is_one_line() -> None:
    with pytest.raises(LepbenchError, match=r"a process ended while it measured files.*take fewer --workers"):
        run_each(os._exit, [7, 7], "files", ignore_progress, workers=2)
