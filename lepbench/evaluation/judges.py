"""The judges that the measures of a protocol read, loaded."""

from __future__ import annotations

from lepbench.evaluation.measures.base import list_read_abilities
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.references import find_reference, require_same_files
from lepbench.files import sha256_file
from lepbench.judges import JudgeConfig, Judges, load_judge
from lepbench.submitted import explain_faults

SHIPPED = "sketchworld-"
"""What the names of judges begin with that ship, and of no others."""


def list_read_judges(protocol: Protocol) -> list[JudgeConfig]:
    """The judges that a measure of the protocol reads, in order."""
    read = list_read_abilities(protocol)
    return [judge for judge in protocol.judges if read.intersection(judge.abilities)]


def check_judges(protocol: Protocol) -> None:
    """Refuse a protocol whose judges or reference cannot be loaded here, before anything is.

    Raises:
        LepbenchError: a file of theirs is missing or not the one pinned.
    """
    find_reference(protocol)
    for judge in list_read_judges(protocol):
        with explain_faults(f"judge {judge.label!r}", judge):
            judge.check()


def load_judges(protocol: Protocol, device: str = "cpu") -> Judges:
    """The judges that a protocol's measures read, with the SHA-256 of their files and of its reference.

    Raises:
        LepbenchError: a file of theirs is missing or damaged, or not the one pinned, or the reference is of
            another judge.
    """
    # First, being the quickest to be found missing.
    found = find_reference(protocol)
    references = {path.name: sha256_file(path) for path in set(found.values())}
    judges = Judges.of({judge.label: load_judge(judge, device) for judge in list_read_judges(protocol)})
    require_same_files(found, judges.weights)
    return Judges(judges.loaded, judges.weights | references)


def ships_judges(protocol: Protocol) -> bool:
    """Whether every judge of a protocol ships: nothing is fetched for it, and it is quick on a CPU."""
    return all(judge.name.startswith(SHIPPED) for judge in protocol.judges)
