"""The judges that a protocol names."""

from __future__ import annotations

from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.evaluation.parts import list_judges
from lepbench.evaluation.protocol import Protocol
from lepbench.files import sha256_file
from lepbench.judges import JUDGES, Judges, JudgeStatistics, LoadedJudge
from lepbench.judges.paths import ASSETS
from lepbench.submitted import explain_faults


def load_judges(protocol: Protocol, device: str = "cpu") -> Judges:
    """The judges that a protocol names, with the SHA-256 of the files behind them.

    Raises:
        LepbenchError: a judge is unknown here, or a file of theirs is missing or damaged.
    """
    # First, being the quickest to be found missing.
    path = statistics_path(protocol)
    statistics = JudgeStatistics.load(path)
    names = list_judges(protocol)
    loaded = [_load(name, device) for name in names]
    files = {
        f"{name}/{file.name}": file for name, one in zip(names, loaded, strict=True) for file in one.files
    }
    scorer, segmenter, matching, classify = (one.judge for one in loaded)
    return Judges(
        scorer=scorer,
        segmenter=segmenter,
        matching=matching,
        classify=classify,
        statistics=statistics,
        weights={name: sha256_file(file) for name, file in {**files, path.name: path}.items()},
    )


def _load(name: str, device: str) -> LoadedJudge:
    loader = JUDGES.get(name)
    with explain_faults(f"judge {name!r}", loader):
        loaded = loader(device)
    if not isinstance(loaded, LoadedJudge):
        raise LepbenchError(f"judge {name!r} is {type(loaded).__name__}", "return a LoadedJudge")
    return loaded


def statistics_path(protocol: Protocol) -> Path:
    """Where the statistics that a protocol names are kept."""
    return ASSETS / f"{protocol.statistics}.safetensors"
