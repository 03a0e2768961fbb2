"""A finished run whose figures are by judges, as a fixture."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import yaml
from PIL import Image
from tiny_judges import save_judges, write_yaml
from tiny_photographs import PRECOMPUTED, freeze_photographs, save_variants

from lepbench.api.running import evaluate
from lepbench.evaluation.record import Record
from lepbench.images import Pixels
from lepbench.suites import Suite

SAMPLES = 2


class Run(NamedTuple):
    """A run, its suite, and the folder that holds judges and protocol."""

    record: Record
    suite: Suite
    root: Path

    @property
    def folder(self) -> Path:
        """Of results."""
        return self.record.require_folder()

    def figure(self, name: str, row: str = "model") -> float:
        """A figure that has a value."""
        value = self.record.rows[row][name].value
        assert value is not None, name
        return value

    def pictures(self, row: str, index: int | None = None) -> list[Pixels]:
        """The stored pictures of a row in the order of the samples table, of one sample index or of all."""
        frame = self.record.samples()
        frame = frame[frame["row"] == row]
        chosen = frame if index is None else frame[frame["sample_index"] == index]
        return [np.array(Image.open(path)) for path in chosen["picture"]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twelve photographs at 64 px, two pictures of each that were drawn elsewhere."""
    root = tmp_path_factory.mktemp("judged")
    suite = freeze_photographs(root / "suite", size=64, items=12)
    terms = {
        "name": "small-photographs",
        "extends": "lepbench-photographs-v1",
        "measures": ["edges", "chamfer", "captions", "distances", "coverage", "diversity", "classes"],
        "judges": yaml.safe_load(save_judges(root).read_text()),
        "frechet_from": 4,
        "resamples": 50,
        "kid_subsamples": 50,
    }
    save_variants(suite, root / "pictures", SAMPLES)
    model = {"name": "elsewhere", "method": {**PRECOMPUTED, "folder": str(root / "pictures")}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(root / "cache"))
        record = evaluate(
            model,
            suite,
            root / "out",
            samples_per_item=SAMPLES,
            protocol=write_yaml(root / "protocol.yaml", terms),
            device="cpu",
            progress=False,
        )
    return Run(record, suite, root)
