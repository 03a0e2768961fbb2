"""`lepbench leaderboard add` as a person runs it."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from command import call_command
from PIL import Image
from tiny_evaluation import own_cache, tiny_judges, tiny_model, tiny_suite

from lepbench.errors import LepbenchError
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import read_record
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.suites import Suite

__all__ = ["own_cache", "tiny_judges", "tiny_model", "tiny_suite"]


@pytest.mark.slow
def test_a_run_is_added_and_a_wrong_one_is_one_line(
    tmp_path: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate(tiny_model, tiny_suite, tmp_path / "out", device="cpu", judges=tiny_judges)
    monkeypatch.setattr("lepbench.evaluation.last_judges.load_judges", lambda protocol, device: tiny_judges)
    command = ["leaderboard", "add", tmp_path / "out"]
    where = ["--leaderboards", tmp_path / "boards", "--suite", tiny_suite.folder]
    board = tmp_path / "boards" / "tiny-suite" / "lepbench-edges-v1.csv"
    capsys.readouterr()
    assert call_command(monkeypatch, *command, *where) == 0
    assert capsys.readouterr().out == f"added to {board}\n"
    assert call_command(monkeypatch, *command, *where) == 0
    assert capsys.readouterr().out == f"already in {board}\n"
    assert len(board.read_text().splitlines()) == 2
    with board.open(newline="") as stream:
        assert [line["level"] for line in csv.DictReader(stream)] == ["verified"]
    assert call_command(monkeypatch, *command, *where, "--redraw", "1", "--device", "cpu") == 0
    with board.open(newline="") as stream:
        assert [line["level"] for line in csv.DictReader(stream)] == ["redrawn"]
    capsys.readouterr()
    assert call_command(monkeypatch, "leaderboard", "check", tmp_path / "boards") == 0
    checked = capsys.readouterr().out
    assert checked == f"tiny-suite/lepbench-edges-v1\n{tmp_path / 'boards'}: boards in order: 1\n"
    for arguments in (
        [*command, "--leaderboards", tmp_path / "boards"],
        ["leaderboard", "add", tmp_path / "none"],
        ["leaderboard", "remove"],
    ):
        assert call_command(monkeypatch, *arguments) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.strip().splitlines()) == 1

    # As a run of a set that made its suite, beside a folder that is no run.
    placed = tmp_path / "set" / "tiny-suite" / "lepbench-edges-v1" / "tiny"
    shutil.copytree(tmp_path / "out", placed)
    shutil.copytree(tiny_suite.folder, tmp_path / "set" / "suites" / "tiny-suite")
    boards = tmp_path / "boards-of-sets"
    several = ["leaderboard", "add", tmp_path / "none", placed, "--leaderboards", boards]
    assert call_command(monkeypatch, *several) == 2
    said = capsys.readouterr()
    assert said.out == f"{placed}: added to {boards / 'tiny-suite' / 'lepbench-edges-v1.csv'}\n"
    refused, summary = said.err.strip().splitlines()
    assert refused.startswith(f"{tmp_path / 'none'}: refused: ")
    assert "1 of 2 runs were refused" in summary


@pytest.fixture
def own_terms(tmp_path: Path, tiny_suite: Suite) -> Path:
    """A folder with a user's protocol, its judge, and a model of pictures drawn elsewhere."""
    from transformers import Dinov2Config, Dinov2Model

    with torch.random.fork_rng():
        torch.manual_seed(0)
        shape = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=224)
        Dinov2Model(shape).save_pretrained(tmp_path / "judge")
    judge = {"name": "dinov2", "label": "tiny-l2_n3", "model": str(tmp_path / "judge")}
    terms = {"name": "mine-v1", "measures": ["edges", "distances"], "judges": [judge]}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(terms))
    (tmp_path / "pictures").mkdir()
    for item in tiny_suite.items():
        assert item.image is not None
        Image.fromarray(255 - item.image).save(tmp_path / "pictures" / f"{item.item_id}-0.png")
    method = {"name": "precomputed", "folder": str(tmp_path / "pictures")}
    for name in ("zebra", "aardvark"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, "method": method}))
    return tmp_path


@pytest.mark.slow
def test_a_users_suite_and_protocol_have_an_unranked_board(
    own_terms: Path,
    tiny_suite: Suite,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    suite, boards = ["--suite", tiny_suite.folder], ["--leaderboards", own_terms / "boards"]
    for name in ("zebra", "aardvark"):
        out = own_terms / "runs" / name
        terms = ["--protocol", own_terms / "mine.yaml", "--out", out, "--device", "cpu"]
        assert call_command(monkeypatch, "evaluate", own_terms / f"{name}.yaml", *suite, *terms) == 0
        assert call_command(monkeypatch, "leaderboard", "add", out, *suite, *boards) == 0
    assert call_command(monkeypatch, "verify", out, *suite, "--images", "--device", "cpu") == 0
    with (own_terms / "boards" / "tiny-suite" / "mine-v1.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert [line["model"] for line in lines] == ["aardvark", "zebra"]
    assert float(lines[0]["kid@tiny-l2_n3_n10"]) == pytest.approx(
        read_record(out).rows["model"]["kid@tiny-l2_n3"].value, rel=1e-5
    )
    capsys.readouterr()
    show = ["leaderboard", "show", "tiny-suite/mine-v1", *boards, "--format", "markdown", "--intervals"]
    assert call_command(monkeypatch, *show) == 0
    shown = capsys.readouterr().out
    assert "KID tiny-l2_n3 (n=10) ↓" in shown
    assert "- unranked: no figure of mine-v1 ranks" in shown
    assert "- self-reported" in shown
    board = own_terms / "boards" / "tiny-suite" / "mine-v1.csv"
    head, *rest = board.read_text().splitlines(keepends=True)
    board.write_text("".join([head, *reversed(rest)]))
    assert call_command(monkeypatch, *show) == 2
    assert "mine-v1.csv is out of order: 'aardvark' stands too low" in capsys.readouterr().err


def test_a_protocol_that_ranks_by_what_it_does_not_measure_is_one_line(
    tmp_path: Path, tiny_suite: Suite
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nmeasures: [edges]\nrank_by: edge_f1_1p\n")
    message = "mine ranks by 'edge_f1_1p', which it does not measure; did you mean 'edge_f1_1px'"
    with pytest.raises(LepbenchError, match=message):
        select_protocol(tiny_suite, path)


def test_a_protocol_that_ranks_by_a_figure_without_a_better_side_is_one_line(
    tmp_path: Path, tiny_suite: Suite
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\nmeasures: [edges, diversity]\nrank_by: diversity@sketchworld-clip\n")
    with pytest.raises(LepbenchError, match="of which neither side is better; rank by another figure"):
        select_protocol(tiny_suite, path)
