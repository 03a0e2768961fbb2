"""Ray on two machines, as far as it can tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def two_machines(*folders: Path) -> Iterator[Any]:
    """The cluster and its second machine; without Ray the test is skipped.

    Args:
        folders: of modules that workers import.
    """
    utils = pytest.importorskip("ray.cluster_utils")
    import ray

    made = utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = made.add_node(num_cpus=1)
    here = {"env_vars": {"PYTHONPATH": ":".join(map(str, folders))}} if folders else None
    ray.init(address=made.address, log_to_driver=False, logging_level="error", runtime_env=here)
    try:
        yield made, second
    finally:
        ray.shutdown()
        made.shutdown()
