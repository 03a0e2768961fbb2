"""What a finished run is held against: the suite and the protocol of its record, or others that are given."""

from __future__ import annotations

from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.layout import locate_made_suite
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import OURS, select_protocol
from lepbench.evaluation.record import Record
from lepbench.judges import InceptionJudgeConfig
from lepbench.suites import Suite, list_suites, load_suite
from lepbench.trust import require_trust


def find_suite(record: Record, folder: Path, choice: str | Path | None = None) -> Suite:
    """The suite of a record: the one that is given, the one of its name, or the one that its set made.

    Args:
        folder: of the run.

    Raises:
        LepbenchError: none is known by that name: a suite that was made lies in a folder.
    """
    name = record.identity.suite
    if choice is not None:
        return load_suite(choice)
    made = locate_made_suite(folder, name)
    if name not in list_suites() and Path(name).name == name and made.is_dir():
        return load_suite(made)
    if name in list_suites():
        return load_suite(name)
    # A record's name is never taken for a path: it may be a stranger's.
    raise LepbenchError(f"the run is of suite {name!r}, which does not ship", "give its folder with --suite")


def find_protocol(
    record: Record,
    suite: Suite,
    choice: str | Path | None = None,
    *,
    judges: str | Path | None = None,
    reference: Path | None = None,
) -> Protocol:
    """The protocol for the verification of a record.

    Args:
        choice, judges, reference: as for `select_protocol`. Without any, the protocol of the record's name if
            it ships, or the one in the record, which states every term.

    Raises:
        LepbenchError: it is not known, or does not fit the suite.
    """
    if choice is None and judges is None and reference is None:
        name = record.protocol.name
        return select_protocol(suite, name) if name.startswith(OURS) else record.protocol
    return select_protocol(suite, choice, judges=judges, reference=reference)


def require_known_programs(record: Record, protocol: Protocol) -> None:
    """Refuse to run a TorchScript file that only the record names, unless it was trusted.

    A record may be a stranger's, and the hash in it, too; the published Inception is known.

    Raises:
        LepbenchError: there is such a file.
    """
    if protocol is not record.protocol:
        return
    for judge in protocol.judges:
        if isinstance(judge, InceptionJudgeConfig) and judge.runs_program:
            if "://" in judge.weights:
                raise LepbenchError(
                    f"the record's judge {judge.label!r} is a program from {judge.weights}",
                    "give the judges yourself with --judges, or the protocol with --protocol",
                )
            require_trust(f"the record's judge {judge.label!r}", [judge.find()])
