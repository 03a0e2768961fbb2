"""What an evaluation is of, from what a caller gives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lepbench.api.counts import require_whole
from lepbench.api.model import ModelLike, read_model
from lepbench.api.needs import write_prefetch
from lepbench.evaluation.lockfile import list_revisions, read_lockfile, require_locked
from lepbench.evaluation.needs import list_needs, require_here
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.fetch import is_offline
from lepbench.hub import pin_revisions
from lepbench.methods import ModelConfig
from lepbench.suites import Suite, load_suite

SuiteLike = str | Path | Suite


@contextmanager
def pinning(lock: str | Path | None) -> Iterator[None]:
    """A block in which models of the hub are those of a lockfile, if one is given.

    Raises:
        LepbenchError: it cannot be read, or files here are missing or others.
    """
    if lock is None:
        yield
        return
    found = read_lockfile(Path(lock))
    require_locked(found, write_prefetch(found.model, found.suite, found.protocol))
    with pin_revisions(list_revisions(found)):
        yield


class Prepared(NamedTuple):
    """A model and a suite, and the other arguments of an evaluation by name."""

    config: ModelConfig
    suite: Suite
    arguments: dict[str, Any]


def prepare_evaluation(
    model: ModelLike,
    suite: SuiteLike,
    *,
    name: str | None = None,
    limit: int | None = None,
    samples_per_item: int = 1,
    protocol: str | Path | Protocol | None = None,
    judges: str | Path | None = None,
    statistics: str | Path | None = None,
    device: str = "auto",
) -> Prepared:
    """Read what is given; see `api.running.evaluate`. Without a connection all must be here.

    Raises:
        LepbenchError: it cannot be used, or something has to be fetched first.
    """
    require_whole("samples_per_item", samples_per_item, least=1)
    # The suite says how many there are.
    require_whole("limit", 1 if limit is None else limit)
    chosen = suite if isinstance(suite, Suite) else load_suite(suite)
    config, method, stateful = read_model(model, name)
    reference = None if statistics is None else Path(statistics)
    terms = (
        protocol
        if isinstance(protocol, Protocol)
        else select_protocol(chosen, protocol, judges=judges, reference=reference)
    )
    if is_offline():
        require_here(list_needs(config, chosen, terms), write_prefetch(model, chosen, protocol, judges))
    arguments = {
        "limit": limit,
        "samples_per_item": samples_per_item,
        "device": device,
        "protocol": terms,
        "method": method,
        "stateful": stateful,
    }
    return Prepared(config, chosen, arguments)
