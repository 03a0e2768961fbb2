"""A submission is a run that a board takes, with what names every file; unpacked it is added as the run."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from command import call_command
from forged_run import finished

from lepbench.errors import LepbenchError
from lepbench.evaluation.run import evaluate
from lepbench.judges import Judges
from lepbench.methods import ModelConfig
from lepbench.publishing.submission import check_submission, pack_submission
from lepbench.suites import Suite

__all__ = ["finished"]

pytestmark = pytest.mark.slow
ABOUT = {"licence": "CC-BY-4.0", "contact": "someone@example.org"}


def pack(run: Path, out: Path, suite: Suite, **changes: str) -> None:
    given = ABOUT | changes
    pack_submission(run, out, suite, licence=given["licence"], contact=given["contact"])


def test_a_packed_run_is_added_as_the_run_is(
    finished: Path,
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("lepbench.evaluation.last_judges.load_judges", lambda *_: tiny_judges)
    packed, suite = tmp_path / "tiny.zip", ["--suite", tiny_suite.folder]
    pack = ["leaderboard", "submit", finished, "--out", packed, *suite]
    about = [part for key, text in ABOUT.items() for part in (f"--{key}", text)]
    assert call_command(monkeypatch, *pack, *about) == 0
    assert "suite 'tiny-suite' does not ship and is not packed" in capsys.readouterr().err
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "unpacked")
    boards = []
    for folder in (finished, tmp_path / "unpacked"):
        boards.append(tmp_path / f"boards-of-{folder.name}")
        command = ["leaderboard", "add", folder, "--leaderboards", boards[-1], *suite]
        assert call_command(monkeypatch, *command) == 0
    first, second = (board / "tiny-suite" / "lepbench-edges-v1.csv" for board in boards)
    assert first.read_bytes() == second.read_bytes()
    assert call_command(monkeypatch, "verify", tmp_path / "unpacked", *suite) == 0
    capsys.readouterr()
    assert call_command(monkeypatch, *pack, "--licence", "CC0-1.0") == 2
    assert "--contact" in capsys.readouterr().err


def test_the_manifest_names_every_file_by_its_hash(finished: Path, tiny_suite: Suite, tmp_path: Path) -> None:
    pack(finished, tmp_path / "packed", tiny_suite)
    manifest = json.loads((tmp_path / "packed" / "submission.json").read_text())
    files = {
        path.relative_to(tmp_path / "packed").as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "packed").rglob("*")
        if path.is_file() and path.name != "submission.json"
    }
    assert manifest["files"] == files
    assert {key: manifest[key] for key in ABOUT} == ABOUT
    assert {"record.json", "samples.parquet"} < files.keys()
    # Ten items, with pictures of their own in four conditions: model, unguided, vae and real; overlay too.
    pictures = {path.relative_to(finished).as_posix() for path in finished.glob("samples/*/*.png")}
    assert pictures == {name for name in files if name.endswith(".png")}
    assert len(pictures) == 50
    assert check_submission(tmp_path / "packed").files == files


def test_an_archive_of_one_run_has_the_same_bytes(finished: Path, tiny_suite: Suite, tmp_path: Path) -> None:
    for name in ("first.zip", "second.zip"):
        pack(finished, tmp_path / name, tiny_suite)
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def change_picture(folder: Path) -> None:
    pictures = sorted(folder.glob("samples/model/*.png"))
    shutil.copy(pictures[0], pictures[1])


CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a picture of another item": (change_picture, "is not the file that submission.json names"),
    "a picture less": (
        lambda folder: min(folder.glob("samples/model/*.png")).unlink(),
        "lacks 'samples/model/",
    ),
    "a file more": (
        lambda folder: (folder / "run.sh").write_text("echo"),
        "has beside those it names 'run.sh'",
    ),
    "a hidden file more": (
        lambda folder: (folder / "samples" / ".run.sh").write_text("echo"),
        "has beside those it names 'samples/.run.sh'",
    ),
    "a link more": (
        lambda folder: (folder / "samples" / "more").symlink_to(folder),
        "has beside those it names 'samples/more'",
    ),
    "no JSON": (lambda folder: (folder / "submission.json").write_text("{"), "not valid JSON"),
    "a record of another run": (
        lambda folder: edit_manifest(folder, record="0" * 64),
        "is of another record than",
    ),
    "a key more": (lambda folder: edit_manifest(folder, owner="me"), "unknown key 'owner'"),
    "a formula": (lambda folder: edit_manifest(folder, contact="=1+1@example.org"), "contact"),
}


def edit_manifest(folder: Path, **changes: str) -> None:
    path = folder / "submission.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_submission_is_refused(
    finished: Path, tiny_suite: Suite, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    pack(finished, packed, tiny_suite)
    change, message = CHANGES[name]
    change(packed)
    with pytest.raises(LepbenchError) as caught:
        check_submission(packed)
    assert message in str(caught.value)
    command = ["leaderboard", "add", packed, "--suite", tiny_suite.folder, "--leaderboards", tmp_path / "b"]
    assert call_command(monkeypatch, *command) == 2
    assert not (tmp_path / "b").exists()


def test_a_submission_without_its_manifest_is_no_run(
    finished: Path,
    tiny_suite: Suite,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    packed = tmp_path / "packed"
    pack(finished, packed, tiny_suite)
    (packed / "submission.json").rename(packed / "manifest.json")
    command = ["leaderboard", "add", packed, "--suite", tiny_suite.folder, "--leaderboards", tmp_path / "b"]
    said = "has no submission.json, and no run.json of the run that its record is of"
    assert call_command(monkeypatch, *command) == 2
    assert said in capsys.readouterr().err
    owner = json.loads((finished / "run.json").read_text())
    (packed / "run.json").write_text(json.dumps(owner | {"items": 9}))
    assert call_command(monkeypatch, *command) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("licence", "my own licence"),
        ("licence", ""),
        ("licence", "CC-BY-4.0\n"),
        ("contact", "someone"),
        ("contact", "http://example.org"),
        ("contact", "=cmd@example.org"),
        ("contact", "someone@example.org\n"),
        ("contact", f"{'a' * 200}@example.org"),
    ],
)
def test_licence_and_contact_have_a_form(
    finished: Path, tiny_suite: Suite, tmp_path: Path, key: str, text: str
) -> None:
    with pytest.raises(LepbenchError, match=key):
        pack(finished, tmp_path / "packed", tiny_suite, **{key: text})
    assert not (tmp_path / "packed").exists()


def test_what_a_board_refuses_is_not_packed(
    finished: Path,
    tiny_model: ModelConfig,
    tiny_suite: Suite,
    tiny_judges: Judges,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, few = tmp_path / "packed", tmp_path / "few"
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    evaluate(tiny_model, tiny_suite, few, limit=3, device="cpu", judges=tiny_judges)
    with pytest.raises(LepbenchError, match="has 3 items and a leaderboard takes 10 or more"):
        pack(few, out, tiny_suite)
    incomplete = tmp_path / "incomplete"
    shutil.copytree(finished, incomplete)
    min(incomplete.glob("samples/model/*.png")).unlink()
    with pytest.raises(LepbenchError, match="is missing or not the picture that was scored"):
        pack(incomplete, out, tiny_suite)
    with pytest.raises(LepbenchError, match="is not an empty folder"):
        pack(finished, incomplete, tiny_suite)
    assert not out.exists()
