"""The state of this installation, and what configurations still lack, a line each with what to do."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import psutil
import torch

from lepbench.api.needs import Planned, write_prefetch
from lepbench.embedded import list_damaged, read_hashes
from lepbench.errors import LepbenchError
from lepbench.evaluation.environment import PACKAGES
from lepbench.evaluation.lockfile import list_unlike, read_lockfile
from lepbench.fetch import OFFLINE, is_offline
from lepbench.files import find_cache_folder, format_bytes, measure_folder
from lepbench.needs import list_absent
from lepbench.version import __version__

LIBRARIES = (*PACKAGES, "torchvision", "accelerate", "peft", "huggingface_hub", "safetensors", "torchmetrics")
"""Packages that decide numbers, or whether models load."""
LEAST_ROOM = 2 * 10**9
"""Bytes of free disk below which a download or a run is likely to fail."""


class Finding(NamedTuple):
    """What was found of one subject.

    Attributes:
        fix: what to do; empty where nothing is wrong.
    """

    subject: str
    said: str
    fix: str = ""


def check_installation() -> Iterator[Finding]:
    """Versions, devices, memory, disk, caches, and the embedded files."""
    yield Finding("python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("lepbench", __version__)
    for name in dict.fromkeys(LIBRARIES):
        yield _check_package(name)
    threads = "1 thread" if torch.get_num_threads() == 1 else f"{torch.get_num_threads()} threads"
    yield Finding("cpu", f"{os.cpu_count()} cores, {threads}")
    yield from _describe_accelerators()
    memory = psutil.virtual_memory()
    yield Finding("memory", f"{format_bytes(memory.available)} free of {format_bytes(memory.total)}")
    yield from _check_caches()
    yield _describe_network()
    yield _check_embedded()


def check_model(planned: Planned) -> list[Finding]:
    """What a MODEL.yaml lacks to be evaluated on a suite, a line each; one line where it lacks nothing."""
    subject = str(planned.model)
    try:
        absent = list_absent(planned.list_needs())
    except LepbenchError as error:
        return [Finding(subject, str(error).removeprefix(f"{subject}: "), "correct it")]
    fetch = f"run '{planned.write_prefetch()}'"
    lacks = [
        Finding(subject, f"lacks {need.what}: {need.describe()}", fetch if need.fetchable else need.fix)
        for need in absent
    ]
    return lacks or [Finding(subject, f"ready for {planned.suite}")]


def check_lockfile(path: Path) -> Finding:
    """Whether the files of a lockfile are here as it states them."""
    try:
        lock = read_lockfile(path)
    except LepbenchError as error:
        return Finding(str(path), str(error), "run 'lepbench prefetch' again")
    unlike = list_unlike(lock)
    if not unlike:
        return Finding(str(path), f"{sum(len(source.files) for source in lock.sources)} files as it states")
    command = write_prefetch(lock.model, lock.suite, lock.protocol)
    return Finding(str(path), f"missing or another file: {', '.join(unlike)}", f"run '{command}'")


def _check_package(name: str) -> Finding:
    try:
        return Finding(name, version(name))
    except PackageNotFoundError:
        return Finding(name, "not installed", f"run 'pip install {name}'")


def _describe_accelerators() -> Iterator[Finding]:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for number in range(count):
        free, total = torch.cuda.mem_get_info(number)
        named = torch.cuda.get_device_name(number)
        yield Finding(f"cuda:{number}", f"{named}, {format_bytes(free)} free of {format_bytes(total)}")
    if not count:
        yield Finding("cuda", "none")
    yield Finding("mps", "present, not used" if torch.backends.mps.is_available() else "none")


def _check_caches() -> Iterator[Finding]:
    from huggingface_hub.constants import HF_HUB_CACHE

    for subject, folder in (("lepbench cache", find_cache_folder()), ("hub cache", Path(HF_HUB_CACHE))):
        used = measure_folder(folder) if folder.is_dir() else 0
        above = _find_existing(folder)
        free = shutil.disk_usage(above).free
        said = f"{format_bytes(used)} in {folder}, {format_bytes(free)} free on its disk"
        if not os.access(above, os.W_OK):
            yield Finding(subject, said, f"make {above} writable, or choose another folder")
        else:
            yield Finding(subject, said, "make room on the disk" if free < LEAST_ROOM else "")


def _find_existing(folder: Path) -> Path:
    """The folder, or the nearest above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.is_dir())


def _describe_network() -> Finding:
    given = [name for name in OFFLINE if name in os.environ]
    said = f"offline, by {' and '.join(given)}" if is_offline() else "models may be fetched"
    return Finding("network", said)


def _check_embedded() -> Finding:
    damaged = list_damaged()
    if damaged:
        said = f"missing or another file: {', '.join(damaged)}"
        return Finding("embedded models", said, "run 'pip install --force-reinstall --no-deps lepbench'")
    return Finding("embedded models", f"{len(read_hashes())} files with the right hashes")
