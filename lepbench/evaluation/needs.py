"""What an evaluation needs from elsewhere: of its model, its detectors, its judges and its reference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.judges import list_read_judges
from lepbench.evaluation.measures.base import make_measure
from lepbench.evaluation.protocol import ITEMS, Protocol
from lepbench.evaluation.protocols import read_protocol
from lepbench.evaluation.references import locate_reference
from lepbench.hub_files import HubFiles
from lepbench.methods import ModelConfig
from lepbench.needs import BrokenNeed, Need, list_absent
from lepbench.progress import Progress, ignore_progress
from lepbench.suites import Suite

STAGES = 4
"""Most often that files of a model are read for what else is needed: a pipeline's index, then a config."""


def list_needs(
    model: ModelConfig,
    suite: Suite,
    protocol: str | Path | Protocol | None = None,
    judges: str | Path | None = None,
) -> list[Need]:
    """What `evaluate` needs from elsewhere, each once; nothing is fetched to say so.

    Of models on the hub no more can be said than their configs say that are here: see `resolve_needs`.

    Args:
        protocol, judges: as for `select_protocol`; or a protocol at hand.

    Raises:
        LepbenchError: the protocol or the judges cannot be read.
    """
    terms = protocol if isinstance(protocol, Protocol) else read_protocol(suite, protocol, judges=judges)
    return list(dict.fromkeys([*model.list_needs(), *list_protocol_needs(terms, suite)]))


def list_protocol_needs(protocol: Protocol, suite: Suite) -> list[Need]:
    """What the detectors, judges and the reference of a protocol need, as far as they are read."""
    taken = protocol.model_copy(update={"measures": list_possible_measures(protocol, suite)})
    read = list_read_judges(taken)
    needs = [need for detector in taken.detectors for need in detector.list_needs()]
    needs += [need for judge in read for need in judge.list_needs()]
    if taken.reference == ITEMS:
        return needs
    for label in (judge.label for judge in read if "features" in judge.abilities):
        try:
            locate_reference(taken.reference, label)
        except LepbenchError as error:
            needs.append(BrokenNeed("statistics", str(error)))
    return needs


def list_possible_measures(protocol: Protocol, suite: Suite) -> tuple[str, ...]:
    """The measures that a protocol takes of a suite if its detectors and judges are here."""
    held = set(suite.definition.truths)
    known = [name for name in protocol.where_known if held >= {*make_measure(name).find_truths(protocol)}]
    return tuple(dict.fromkeys((*protocol.measures, *known)))


def resolve_needs(list_all: Callable[[], list[Need]], progress: Progress = ignore_progress) -> list[Need]:
    """All that is needed: the small files of models are fetched that say what else is.

    Args:
        list_all: `list_needs` of an evaluation.

    Raises:
        LepbenchError: one cannot be fetched.
    """
    needs = list_all()
    for _ in range(STAGES):
        leading = [need for need in needs if isinstance(need, HubFiles) and need.leads]
        if not leading:
            break
        for need in leading:
            need.fetch(progress)
        needs = list_all()
    return needs


def require_here(needs: Sequence[Need], command: str) -> None:
    """Refuse to begin, where work is offline, what would have to fetch something.

    Args:
        command: what fetches it.

    Raises:
        LepbenchError: something is not here that is fetched.
    """
    absent = [need for need in list_absent(needs) if need.fetchable]
    if absent:
        named = ", ".join(f"{need.what} ({need.describe()})" for need in absent)
        raise LepbenchError(f"not here, and work is offline: {named}", f"run with a connection: {command}")
