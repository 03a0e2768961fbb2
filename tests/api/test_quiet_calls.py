"""With `progress=False` a call prints nothing, nor do the libraries beneath it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CALLS = """
import lepbench

suite = lepbench.load_suite()
lepbench.load_backbone(device="cpu")
lepbench.load_predictor()
lepbench.load_mini("cpu")("a red fish", num_inference_steps=2)
lepbench.SketchGuidedPipeline.from_pretrained("mini@1", "lep-mini@1", device="cpu")(
    suite[0].prompt, suite[0].sketch, seed=0, num_inference_steps=2
)
lepbench.sample(suite[0].prompt, suite[0].sketch, steps=2, progress=False)
model = {"name": "quick", "sampler": {"steps": 2}, "method": "lep"}
other = model | {"name": "other", "method": "unguided"}
runs = [lepbench.evaluate(one, limit=2, progress=False) for one in (model, other)]
lepbench.compare(runs).to_frame()
lepbench.verify(runs[0], progress=False)
lepbench.build_data("sketchworld", "triplets", limit=24, progress=False)
lepbench.train_lep(data="triplets", steps=2, batch=4, progress=False)
"""


@pytest.mark.slow
def test_nothing_is_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TRANSFORMERS_VERBOSITY", "DIFFUSERS_VERBOSITY", "HF_HUB_DISABLE_PROGRESS_BARS"):
        monkeypatch.delenv(name, raising=False)
    found = subprocess.run([sys.executable, "-c", CALLS], capture_output=True, text=True)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
