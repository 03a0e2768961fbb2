"""The judges that a protocol names, loaded."""

from __future__ import annotations

from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.references import find_reference, require_same_files
from lepbench.files import sha256_file
from lepbench.judges import Judges, load_judge
from lepbench.submitted import explain_faults

SHIPPED = "sketchworld-"
"""What the names of judges begin with that ship, and of no others."""


def check_judges(protocol: Protocol) -> None:
    """Refuse a protocol whose judges or reference cannot be loaded here, before anything is.

    Raises:
        LepbenchError: a file of theirs is missing or not the one pinned.
    """
    find_reference(protocol)
    for judge in protocol.judges:
        with explain_faults(f"judge {judge.label!r}", judge):
            judge.check()


def load_judges(protocol: Protocol, device: str = "cpu") -> Judges:
    """The judges that a protocol names, with the SHA-256 of the files behind them and its reference.

    Raises:
        LepbenchError: a file of theirs is missing or damaged, or not the one pinned, or the reference is of
            another judge.
    """
    # First, being the quickest to be found missing.
    found = find_reference(protocol)
    references = {path.name: sha256_file(path) for path in set(found.values())}
    judges = Judges.of({judge.label: load_judge(judge, device) for judge in protocol.judges})
    require_same_files(found, judges.weights)
    return Judges(judges.loaded, judges.weights | references)


def ships_judges(protocol: Protocol) -> bool:
    """Whether every judge of a protocol ships: nothing is fetched for it, and it is quick on a CPU."""
    return all(judge.name.startswith(SHIPPED) for judge in protocol.judges)
