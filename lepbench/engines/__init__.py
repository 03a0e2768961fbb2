"""Ways to run independent pieces of work, one file each; importing this package fills `ENGINES`."""

from lepbench.engines.base import ENGINES, Engine, Team, Terms, Work, ignore_entries
from lepbench.engines.choose import choose_engine
from lepbench.engines.in_process import InProcess
from lepbench.engines.processes import Processes
from lepbench.engines.ray import Ray

__all__ = [
    "ENGINES",
    "Engine",
    "InProcess",
    "Processes",
    "Ray",
    "Team",
    "Terms",
    "Work",
    "choose_engine",
    "ignore_entries",
]
