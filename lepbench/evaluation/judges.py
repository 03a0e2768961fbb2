"""The judges that a protocol names, loaded."""

from __future__ import annotations

from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.references import find_reference, require_same_files
from lepbench.files import sha256_file
from lepbench.judges import Judges, load_judge


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
