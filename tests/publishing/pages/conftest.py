from __future__ import annotations

from forged_run import finished
from page_runs import boards, copy_of_run, made, other, run

__all__ = ["boards", "copy_of_run", "finished", "made", "other", "run"]
