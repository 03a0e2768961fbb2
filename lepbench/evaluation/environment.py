"""Environment of an evaluation: package versions, type of machine, and peak memory."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import version

import torch
from pydantic import Field

from lepbench.config import Config, Line
from lepbench.version import __version__

PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "kornia",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "pillow",
    "opencv-python-headless",
)


class Environment(Config):
    """Type of machine, without names of host or user."""

    device: Line
    system: Line
    processor: Line
    cores: int = Field(ge=1)
    threads: int = Field(ge=1)
    accelerator: Line | None


def describe_environment(device: str) -> Environment:
    """The machine this runs on."""
    return Environment(
        device=device,
        system=platform.system(),
        processor=platform.machine(),
        cores=os.cpu_count() or 1,
        threads=torch.get_num_threads(),
        accelerator=torch.cuda.get_device_name() if device.startswith("cuda") else None,
    )


def list_package_versions() -> dict[str, str]:
    """Versions of Python, lepbench and the packages that affect the figures."""
    versions = {name: version(name) for name in PACKAGES}
    return {"python": platform.python_version(), "lepbench": __version__, **versions}


def measure_peak_memory() -> int | None:
    """Peak memory of this process, in bytes; None if unknown."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


def measure_peak_accelerator_memory(device: str) -> int | None:
    """Peak accelerator memory of this process, in bytes; None without one."""
    return int(torch.cuda.max_memory_allocated()) if device.startswith("cuda") else None
