"""Ways to run the shards of a build, one file each; importing this package fills `ENGINES`."""

from lepbench.data.engines.base import ENGINES, Engine, Work
from lepbench.data.engines.in_process import InProcess
from lepbench.data.engines.processes import Processes
from lepbench.data.engines.ray import Ray

__all__ = ["ENGINES", "Engine", "InProcess", "Processes", "Ray", "Work"]
