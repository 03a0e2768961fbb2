"""Options of who does the work: engines, workers and their GPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorate = Callable[[Callable[..., Any]], Callable[..., Any]]


def engine_options(parallel: str) -> Decorate:
    """`--engine` and `--workers` of a command.

    Args:
        parallel: what is done at once, as its help begins.
    """
    usual = "[default: 1; one a GPU; with ray as many as the cluster has room for]"
    engine = click.option(
        "--engine", help="here, processes or ray.  [default: processes for several workers]"
    )
    workers = click.option("--workers", type=click.IntRange(min=1), help=f"{parallel}.  {usual}")
    return lambda command: engine(workers(command))


gpus_option = click.option(
    "--gpus", type=click.FloatRange(min=0), default=1.0, help="GPUs of a worker on Ray.  [default: 1]"
)
