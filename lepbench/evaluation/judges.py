"""The judges that a protocol names, loaded."""

from __future__ import annotations

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.references import find_reference
from lepbench.files import sha256_file
from lepbench.judges import JudgeConfig, Judges, LoadedJudge
from lepbench.submitted import explain_faults


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
        LepbenchError: a file of theirs is missing or damaged, or not the one pinned.
    """
    # First, being the quickest to be found missing.
    references = {path.name: sha256_file(path) for path in set(find_reference(protocol).values())}
    judges = Judges.of({judge.label: _load(judge, device) for judge in protocol.judges})
    return Judges(judges.loaded, judges.weights | references)


def _load(judge: JudgeConfig, device: str) -> LoadedJudge:
    label = f"judge {judge.label!r}"
    with explain_faults(label, judge):
        loaded = judge.load(device)
    if not isinstance(loaded, LoadedJudge):
        raise LepbenchError(f"{label} is {type(loaded).__name__}", "return a LoadedJudge")
    for ability in judge.abilities:
        if getattr(loaded, ability) is None:
            raise LepbenchError(
                f"{label} gives no {ability!r}, which it promises", "give it, or shorten 'able'"
            )
    return loaded
