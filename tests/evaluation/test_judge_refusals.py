"""What suite, protocol and judges cannot do together is refused in one line, before anything is loaded."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_judges import save_clip, save_torchscript, write_yaml
from tiny_photographs import PRECOMPUTED, freeze_drawings, freeze_photographs, save_variants

from lepbench.cli.app import main
from lepbench.errors import LepbenchError
from lepbench.judges.weights import find_model
from lepbench.suites import load_suite

MEASURES = {"measures": ["edges", "captions", "distances"]}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Suites of each kind, pictures and judges, sound and unsound, each by a name."""
    root = tmp_path_factory.mktemp("refused")
    (root / "freehand").symlink_to(load_suite("sketchworld-freehand-v1").folder)
    photographs = freeze_photographs(root / "photographs", size=64, items=4)
    freeze_photographs(root / "coarse", size=64, items=4, low=0.1, high=0.2)
    freeze_drawings(root / "drawings", size=64)
    save_variants(photographs, root / "pictures", 1)
    write_yaml(
        root / "model.yaml",
        {"name": "x", "method": {**PRECOMPUTED, "folder": str(root / "pictures")}},
    )
    # A run that got as far as its backbone would say that this one is missing.
    write_yaml(
        root / "drawn.yaml", {"name": "x", "backbone": str(root / "none"), "method": {"name": "unguided"}}
    )
    save_clip(root / "clip")
    save_torchscript(root / "inception.pt")
    return root


def judge(place: Path, *judges: dict[str, Any]) -> list[Any]:
    """A file of judges, and a protocol that needs no others, as options."""
    return [*protocol(place, **MEASURES), "--judges", write_yaml(place / "judges.yaml", list(judges))]


def protocol(place: Path, **terms: Any) -> list[Any]:
    """A protocol file, as options."""
    path = write_yaml(place / "protocol.yaml", {"name": "own", "extends": "lepbench-photographs-v1", **terms})
    return ["--protocol", path]


def clip(place: Path, **settings: Any) -> dict[str, Any]:
    return {"name": "clip", "model": str(place / "clip"), **settings}


def unpack_binary(place: Path) -> list[Any]:
    """A CLIP model whose weights are no safetensors."""
    folder = save_clip(place / "binary")
    weights = folder / "model.safetensors"
    torch.save(load_file(weights), folder / "pytorch_model.bin")
    weights.unlink()
    return judge(place, clip(place) | {"model": str(folder)})


Case = tuple[str, Callable[[Path], list[Any]], str]
CASES: dict[str, Case] = {
    "contours": (
        "photographs",
        lambda place: protocol(place, measures=["contours"], judges=[]),
        "protocol own measures 'contours', which needs exact contours, and suite 'photographs' has none",
    ),
    "one to one on drawings": (
        "drawings",
        lambda place: protocol(place, measures=["paired"], judges=[]),
        "measures 'paired', which needs sketches that are the edge maps",
    ),
    "photographs on free hand": (
        "freehand",
        lambda place: ["--protocol", "lepbench-photographs-v1"],
        "which needs sketches that are the edge maps of the pictures, and suite 'sketchworld-",
    ),
    "photographs on drawings": (
        "drawings",
        lambda place: ["--protocol", "lepbench-photographs-v1"],
        "protocol lepbench-photographs-v1 measures 'faithful_paired', which needs the real picture",
    ),
    "another detector": (
        "coarse",
        lambda place: protocol(place, measures=["chamfer"], judges=[]),
        "are by canny(low=0.1, high=0.2); choose another --protocol, or make the suite with --detector canny "
        "--detector-set low=0.3 --detector-set high=0.6",
    ),
    "distances to nothing": (
        "drawings",
        lambda place: protocol(place, measures=["distances"], judges=[clip(place)]),
        "measures 'distances', which needs the real picture of every item, and suite 'drawings' has none",
    ),
    "distances by nobody": (
        "photographs",
        lambda place: protocol(place, measures=["distances"], judges=[]),
        "measures 'distances', which needs a judge of features of pictures",
    ),
    "a judge that is on the hub": (
        "photographs",
        lambda place: protocol(place, **MEASURES),
        "not here, and work is offline: judge 'openai-b16' (openai/clip-vit-base-patch16@57c2164",
    ),
    "a judge of the hub without revision": (
        "photographs",
        lambda place: judge(place, {"name": "clip", "model": "openai/clip-vit-base-patch16"}),
        "judge 'openai/clip-vit-base-patch16' has no revision to know its files by; give the 'revision'",
    ),
    "a judge's folder that is missing": (
        "photographs",
        lambda place: protocol(
            place, measures=["captions"], judges=[clip(place, use=["captions"]) | {"model": "none"}]
        ),
        "there is no such folder: none",
    ),
    "a judge's folder that is not the one pinned": (
        "photographs",
        lambda place: judge(place, clip(place, content="0" * 64)),
        "holds other files than the protocol's judge 'clip'",
    ),
    "a reference that is not the one pinned": (
        "photographs",
        lambda place: protocol(place, reference="items", reference_sha256="0" * 64),
        f"pins its reference by {'0' * 64}, and 'items' has None",
    ),
    "a judge's file that is missing": (
        "photographs",
        lambda place: judge(place, {"name": "inception", "library": "torchmetrics", "weights": "none.pth"}),
        "missing weight file none.pth",
    ),
    "a judge's file that is not fetched offline": (
        "photographs",
        lambda place: judge(
            place, {"name": "inception", "weights": "https://example.org/inception.pt", "sha256": "0" * 64}
        ),
        "not here, and work is offline: judge 'inception' (https://example.org/inception.pt); run with a "
        "connection: lepbench prefetch",
    ),
    "no file of judges": (
        "photographs",
        lambda place: ["--judges", place / "none.yaml"],
        "none.yaml: No such file or directory",
    ),
    "a program that is not pinned": (
        "photographs",
        lambda place: judge(place, {"name": "inception", "weights": str(place / "inception.pt")}),
        "is a TorchScript file: a program, which would be run; pin its bytes with 'sha256'",
    ),
    "a program that is another": (
        "photographs",
        lambda place: judge(
            place, {"name": "inception", "weights": str(place / "inception.pt"), "sha256": "0" * 64}
        ),
        f"not {'0' * 64}",
    ),
    "weights that are no safetensors": (
        "photographs",
        unpack_binary,
        "pytorch_model.bin is no safetensors file; pin its bytes with 'sha256'",
    ),
    "two of one label": (
        "photographs",
        lambda place: judge(place, clip(place), clip(place)),
        "two judges are labelled 'clip'; give each a 'label' of its own",
    ),
    "two of one label in a protocol": (
        "photographs",
        lambda place: protocol(place, judges=[clip(place), clip(place)]),
        "two judges are labelled 'clip'; give each a 'label' of its own",
    ),
    "an ability that it has not": (
        "photographs",
        lambda place: judge(place, clip(place, use=["masks"])),
        "'use' names 'masks', which it does not give",
    ),
    "no ability": (
        "photographs",
        lambda place: judge(place, clip(place, use=["mask"])),
        "judge 'clip': use entry 1 must be 'features'",
    ),
}


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run `lepbench evaluate` to its refusal; what it said on stderr."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def run(*arguments: Any) -> str:
        monkeypatch.setattr(sys, "argv", ["lepbench", "evaluate", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main()
        said = capsys.readouterr()
        assert (caught.value.code, said.out) == (2, "")
        lines = [line for line in said.err.strip().splitlines() if "-:--:--" not in line]
        assert len(lines) == 1, said.err
        return lines[0]

    return run


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_cannot_be_scored_is_refused_before_anything_is_loaded(
    name: str, place: Path, refuse: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, make, message = CASES[name]
    options = make(place)
    for loader in ("load_backbone", "load_judges"):
        monkeypatch.setattr(f"lepbench.evaluation.opening.{loader}", None)
    said = refuse(
        place / "drawn.yaml", "--suite", place / suite, "--out", tmp_path / "out", "--device", "cpu", *options
    )
    assert message in said
    assert not (tmp_path / "out").exists()


def test_a_judge_of_the_hub_that_cannot_be_fetched_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    said = (
        "judge 'someone/eyes' is neither here nor could it be fetched (LocalEntryNotFoundError from the "
        "hub); check the connection, or give its folder in a file for --judges; evaluate takes --judges "
        "none, too"
    )
    with pytest.raises(LepbenchError, match=re.escape(said)):
        find_model("someone/eyes", "0" * 40)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(LepbenchError, match=r"work is offline: run 'lepbench prefetch MODEL\.yaml SUITE'"):
        find_model("someone/eyes", "0" * 40)


@pytest.mark.parametrize("ability", ["captions", "features"])
def test_a_judge_whose_features_are_no_numbers_is_named_and_the_folder_left_free(
    ability: str, place: Path, refuse: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    broken = save_clip(tmp_path / "broken")
    tensors = load_file(broken / "model.safetensors")
    tensors["visual_projection.weight"].fill_(float("nan"))
    save_file(tensors, broken / "model.safetensors", metadata={"format": "pt"})
    options = ["--suite", place / "photographs", "--out", tmp_path / "out", "--device", "cpu"]
    terms = protocol(place, measures=["edges", "distances" if ability == "features" else "captions"])

    def options_of(folder: Path) -> list[Any]:
        judges = [clip(place, label="tried", use=[ability]) | {"model": str(folder)}]
        return [*options, *terms, "--judges", write_yaml(tmp_path / "judges.yaml", judges)]

    said = refuse(place / "model.yaml", *options_of(broken))
    assert "judge 'tried' gives features that are not finite; check its weights" in said
    arguments = [place / "model.yaml", *options_of(place / "clip")]
    monkeypatch.setattr(sys, "argv", ["lepbench", "evaluate", *map(str, arguments)])
    main()
    assert (tmp_path / "out" / "table.csv").is_file()
