"""The first things a newcomer types: each works, or says in one line what to type instead."""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import lepbench
from lepbench.errors import LepbenchError

ROOT = Path(__file__).parents[2]
SAID = (LepbenchError, AttributeError, IndexError, ValueError)
"""What may be raised; of each the message is one line."""

TYPED: list[tuple[str, str]] = [
    # Looking around.
    ("import lepbench", ""),
    ("lepbench.__version__", ""),
    ("help(lepbench)", ""),
    ("dir(lepbench)", ""),
    ("from lepbench import *", ""),
    # What is there to be measured on?
    ("lepbench.load_dataset('sketchworld')", "write lepbench.load_suite or lepbench.load_triplets"),
    ("suite = lepbench.load_suite()", ""),
    ("print(suite, len(suite), suite[0], suite[0].prompt, suite[0].sketch.shape)", ""),
    ("[item.prompt for item in suite[:3]]", ""),
    ("suite.to_frame().head()", ""),
    ("suite['sw1-test-132']", "did you mean 'sw1-test-"),
    ("suite[512]", "item 512 of 512"),
    ("lepbench.load_suite('sketchworld')", "did you mean 'sketchworld-edges-v1'?"),
    # A picture along a sketch.
    ("lepbench.generate('a red fish')", "write lepbench.sample"),
    ("lepbench.sample('a red fish', 'fish.png', steps=2)", ""),
    ("lepbench.sample('a red fish', 'fihs.png')", "no such image: fihs.png; check the path"),
    ("lepbench.sample('a red fish', sketch=suite[0].sketch, steps=2).save('out.png')", ""),
    ("lepbench.sample(['a red fish', 'a blue boat'], [suite[0].sketch, 'fish.png'], steps=2)", ""),
    ("lepbench.sample('a red fish', suite[0].sketch * 0)", "draw dark on light"),
    ("lepbench.sample('a red fish', backbone='sd15')", "give its folder or its hub id 'owner/name'"),
    # A model on a suite.
    ("lepbench.evalute('examples/mini-lep.yaml')", "did you mean 'evaluate'?"),
    ("lepbench.evaluate('mini-lep.yaml')", "cannot read mini-lep.yaml: No such file or directory; check"),
    ("record = lepbench.evaluate('examples/mini-lep-fast.yaml', limit=2)", ""),
    ("lepbench.evaluate('examples/mini-lep-fast.yaml', limit=2, device='gpu')", "use auto, cpu or cuda"),
    ("lepbench.evaluate('examples/mini-lep-fast.yaml', 'edges')", "choose one of: emoji-edges-v1, "),
    ("print(record)", ""),
    ("record.rows['model']['edge_f1_1px'].value", ""),
    ("record.to_frame().round(3)", ""),
    ("record.worst('f1')", "choose one of: edge_f1_0px, edge_f1_1px"),
    ("record.worst('edge_f1_1px')[['item_id', 'edge_f1_1px', 'picture']]", ""),
    ("lepbench.load_record('runs/mini-lep-fast')", ""),
    ("lepbench.load_record('runs/nothing')", "run 'lepbench evaluate' to the end first"),
    ("lepbench.evaluate('runs/mini-lep-fast')", "write load_record('runs/mini-lep-fast')"),
    ("lepbench.evaluate('mini@1')", 'write {"name": "mine", "backbone": \'mini@1\', "method": "unguided"}'),
    ("lepbench.verify('runs/mini-lep-fast')", ""),
    # A model of one's own.
    ("def mine(prompt): ...\nlepbench.evaluate(mine)", "as (prompts, sketches, seeds, size) -> pictures"),
    (
        "def mine(prompts, sketches, seeds, size):\n"
        "    return 1.0 - sketches[..., None].repeat(3, axis=-1)\n"
        "mine = lepbench.evaluate(mine, limit=2)",
        "",
    ),
    ("lepbench.compare('runs/mine')", "needs two runs or more; give their folders or records"),
    ("lepbench.compare('runs/mine', record).to_frame()", ""),
    # From diffusers.
    ("lepbench.Pipeline.from_pretrained('mini@1')", "write lepbench.SketchGuidedPipeline"),
    ("lepbench.load_mini()('a red fish', num_inference_steps=2).images[0]", ""),
    ("pipe = lepbench.SketchGuidedPipeline.from_pretrained()", ""),
    ("lepbench.SketchGuidedPipeline.from_pipe('mini@1', 'lep-mini@1')", "write SketchGuidedPipeline.from_p"),
    ("lepbench.SketchGuidedPipeline(lepbench.load_mini(), 'lep-mini@1')", "from_pipe(pipe, predictor)"),
    ("pipe('a red fish', 'fish.png', generator=0)", "generator=0 is a number; write seed=0"),
    ("pipe('a red fish', 'fish.png', seed=0, num_inference_steps=2).images[0]", ""),
    ("lepbench.evaluate(pipe)", "write a function of these four that calls it"),
    ("lepbench.load_backbone('sd15')", "give its folder or its hub id 'owner/name'"),
    # Training.
    ("lepbench.train()", "write lepbench.train_lep"),
    ("lepbench.train_lep()", "give data=, the folder of a data set"),
    ("lepbench.load_triplets('triplets')", "build it with 'lepbench build-data'"),
    # Metrics.
    ("lepbench.EdgeF1()", "write lepbench.metrics"),
    ("lepbench.metrics.EdgeF1()", ""),
    ("lepbench.metrics.edge_f1", "did you mean 'EdgeF1'?"),
    ("lepbench.metrics.EdgeF1()(suite[0].sketch, suite[0].sketch)", "write torch.tensor(...)"),
    (
        "import torch; maps = torch.tensor(suite[0].sketch); lepbench.metrics.EdgeF1()(maps, maps)",
        "maps[None]",
    ),
    ("lepbench.metrics.EdgeF1()(maps[None], maps[None])", ""),
]
"""What is typed, in one session from top to bottom, and what the answer says; nothing where it works."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the examples and a drawing, and caches of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    shutil.copytree(ROOT / "examples", "examples")
    picture = lepbench.load_suite()[4]
    from PIL import Image

    Image.fromarray(~picture.sketch).resize((300, 300)).save("fish.png")
    return tmp_path


@pytest.mark.slow
def test_the_first_things_typed_work_or_say_what_to_type(folder: Path) -> None:
    names: dict[str, Any] = {}
    printed = io.StringIO()
    for code, answer in TYPED:
        said = ""
        # The bars of a terminal, and what is printed.
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            try:
                exec(compile(code, "<typed>", "exec"), names)
            except SAID as error:
                said = str(error)
                assert said, code
        assert "\n" not in said, code
        assert (answer in said) if answer else not said, (code, said)
    assert "NAME\n    lepbench" in re.sub(".\b", "", printed.getvalue())


def test_there_are_twenty_and_more() -> None:
    assert len({code for code, _ in TYPED}) == len(TYPED) >= 20
