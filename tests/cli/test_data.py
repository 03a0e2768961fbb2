"""`lepbench data` as a person or a script meets it."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
import pyarrow.parquet as pq
import pytest
from command import call_command
from huggingface_hub.hf_api import HfApi
from huggingface_hub.utils import filter_repo_objects  # type: ignore[attr-defined]

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.manifest import hash_shards, load_manifest
from lepbench.data.push import push
from lepbench.files import sha256_file


class Ran:
    """What a run of the command left: its exit code, and its two streams."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def lepbench(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    """Run `lepbench data ...` in this process."""

    def run(*arguments: str | Path) -> Ran:
        return Ran(call_command(monkeypatch, "data", *arguments), *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two shards of five scenes, of which those with few edges are left out."""
    out = tmp_path_factory.mktemp("built") / "triplets"
    hygiene = {"min_edges": 0.06}
    config = {"source": "sketchworld", "limit": 10, "shard_rows": 5, "hygiene": hygiene}
    manifest = build_triplets(BuildConfig.model_validate(config), out).manifest
    assert manifest.rejected
    return out


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "triplets"))


def only_line(ran: Ran) -> str:
    """The one line of a refusal."""
    assert (ran.code, ran.out) == (2, "")
    (line,) = [line for line in ran.err.splitlines() if line.startswith("lepbench: ")]
    assert "Traceback" not in ran.err
    return line


def test_a_whole_folder_is_borne_out_and_untouched(lepbench: Any, folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    manifest = load_manifest(folder)
    rejects = sum(manifest.rejected.values())
    ran = lepbench("verify", folder)
    assert ran.code == 0
    assert ran.out == (
        f"{folder}: 2 shards are as recorded; 10 entries = {manifest.written} rows + {rejects} rejects\n"
    )
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a JSON file and keep it one."""
    tree = json.loads(path.read_text())
    change(tree)
    path.write_text(json.dumps(tree))


FIRST = "train-00000-of-00002"


def lost_row(folder: Path) -> None:
    """A row fewer in record and manifest alike, whose sums still agree: an entry is unaccounted for."""

    def shard(tree: Any) -> None:
        tree["rows"] -= 1

    def manifest(tree: Any) -> None:
        shard(tree["shards"][0])
        tree["written"] -= 1

    edit(folder / f"shards/{FIRST}.json", lambda tree: shard(tree["shard"]))
    edit(folder / "manifest.json", manifest)


def another_shard(folder: Path) -> None:
    """Fewer rows, under hashes that were mended in the record and the manifest alike."""
    path = folder / f"data/{FIRST}.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    mended = {"sha256": sha256_file(path)}
    edit(folder / f"shards/{FIRST}.json", lambda tree: tree["shard"].update(mended))
    edit(folder / "manifest.json", lambda tree: tree["shards"][0].update(mended))
    identity = hash_shards(load_manifest(folder).shards)
    edit(folder / "manifest.json", lambda tree: tree.update(sha256=identity))


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a bit of a shard": (lambda f: flip(f / f"data/{FIRST}.parquet"), f"data/{FIRST}.parquet differs"),
    "a shard is gone": (lambda f: (f / f"data/{FIRST}.parquet").unlink(), f"data/{FIRST}.parquet: No such"),
    "a shard of other rows": (another_shard, f"data/{FIRST}.parquet differs from manifest.json: it holds"),
    "a record is gone": (lambda f: (f / f"shards/{FIRST}.json").unlink(), f"shards/{FIRST}.json: No such"),
    "a record cut short": (
        lambda f: (f / f"shards/{FIRST}.json").write_text('{"shard"'),
        f"shards/{FIRST}.json: not valid JSON",
    ),
    "a record of another hash": (
        lambda f: edit(f / f"shards/{FIRST}.json", lambda tree: tree["shard"].update(sha256="0")),
        f"shards/{FIRST}.json differs",
    ),
    "a reject dropped": (
        lambda f: edit(f / f"shards/{FIRST}.json", lambda tree: tree["rejects"].pop()),
        f"shards/{FIRST}.json counts 5 entries",
    ),
    "a row dropped from all counts": (lost_row, f"shards/{FIRST}.json counts 5 entries"),
    "a reject of another reason": (
        lambda f: edit(f / f"shards/{FIRST}.json", lambda t: t["rejects"][0].update(reason="empty caption")),
        f"shards/{FIRST}.json does not count its own rejects",
    ),
    "a line of the rejects": (lambda f: (f / "rejected.jsonl").write_text(""), "rejected.jsonl differs"),
    "the total": (
        lambda f: edit(f / "manifest.json", lambda tree: tree.update(written=11)),
        "manifest.json does not agree with itself: written",
    ),
    "the recipe": (
        lambda f: edit(f / "manifest.json", lambda tree: tree["recipe"].update(max_caption=3)),
        "manifest.json does not agree with itself: recipe_sha256",
    ),
    "the identity": (
        lambda f: edit(f / "manifest.json", lambda tree: tree.update(sha256="0" * 64)),
        "manifest.json does not agree with itself: sha256",
    ),
    "a shard too few": (
        lambda f: edit(f / "manifest.json", lambda tree: tree["shards"].pop()),
        "manifest.json does not agree with itself: shards",
    ),
    "unfinished": (
        lambda f: edit(f / "manifest.json", lambda tree: tree.update(sha256=None)),
        "is unfinished; run the same build-data command again",
    ),
    "no manifest": (lambda f: (f / "manifest.json").unlink(), "holds no manifest.json"),
}


@pytest.mark.parametrize(("harm", "expected"), HARMS.values(), ids=HARMS.keys())
def test_whatever_differs_is_named_and_nothing_of_it_leaves(
    lepbench: Any,
    folder: Path,
    tmp_path: Path,
    hub: type[FakeHub],
    harm: Callable[[Path], None],
    expected: str,
) -> None:
    harm(folder)
    line = only_line(lepbench("verify", folder))
    assert expected in line
    assert only_line(lepbench("export", folder, "--out", tmp_path / "tars")) == line
    assert not (tmp_path / "tars").exists()
    assert only_line(lepbench("push", folder, "someone/triplets")) == line
    assert hub.calls == []


def test_export_says_what_it_wrote(lepbench: Any, folder: Path, tmp_path: Path) -> None:
    rows = load_manifest(folder).written
    arguments = ("export", folder, "--out", tmp_path / "tars", "--rows-per-tar", "2")
    tars = -(-rows // 2)
    for _ in range(2):
        ran = lepbench(*arguments)
        assert ran.out == f"{rows} triplets in {tars} tars in {tmp_path / 'tars'}\n"
        assert f"{rows}/{rows}" in ran.err
    assert len(list((tmp_path / "tars").glob("*.tar"))) == tars


BAD = {
    "its own folder": (["export", "{folder}", "--out", "{folder}"], "no export.json; choose an empty --out"),
    "no rows": (["export", "{folder}", "--out", "x", "--rows-per-tar", "0"], "0 is not in the range"),
    "another format": (["export", "{folder}", "--out", "x", "--format", "zip"], "'zip' is not 'webdataset'"),
    "no folder": (["verify", "gone"], "gone holds no manifest.json"),
}


@pytest.mark.parametrize(("arguments", "expected"), BAD.values(), ids=BAD.keys())
def test_what_a_person_gets_wrong_is_one_line(
    lepbench: Any, folder: Path, arguments: list[str], expected: str
) -> None:
    assert expected in only_line(lepbench(*(argument.format(folder=folder) for argument in arguments)))


class FakeHub:
    """Records what is asked of the hub, and which files an upload would take."""

    calls: list[tuple[str, dict[str, Any]]]
    files: set[str]

    def create_repo(self, repo_id: str, **options: Any) -> None:
        self.calls.append(("create_repo", {"repo_id": repo_id} | options))

    def create_branch(self, repo_id: str, **options: Any) -> None:
        self.calls.append(("create_branch", {"repo_id": repo_id} | options))

    def upload_folder(self, **options: Any) -> Any:
        folder = Path(options.pop("folder_path"))
        every = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
        type(self).files = set(filter_repo_objects(every, allow_patterns=options.pop("allow_patterns")))
        self.calls.append(("upload_folder", options))
        return type("Commit", (), {"commit_url": f"https://hub/datasets/{options['repo_id']}/commit/1"})


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> type[FakeHub]:
    FakeHub.calls, FakeHub.files = [], set()
    monkeypatch.setattr(huggingface_hub, "HfApi", FakeHub)
    return FakeHub


def test_a_push_uploads_the_set_and_nothing_else(lepbench: Any, folder: Path, hub: type[FakeHub]) -> None:
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {".lock"}
    (folder / ".lock").touch()
    (folder / ".lock-1-of-2").touch()
    (folder / "data" / f".{FIRST}.parquet.x.part").write_text("half")
    (folder / "data" / "train-00000-of-00009.parquet").write_text("of another build")
    (folder / "notes.txt").write_text("private")
    ran = lepbench("push", folder, "someone/triplets", "--private")
    assert ran.out == "https://hub/datasets/someone/triplets/commit/1\n"
    assert hub.files == made
    assert {"manifest.json", "README.md", "contact_sheet.png", f"data/{FIRST}.parquet"} < made
    (create, asked), (upload, options) = hub.calls
    assert (create, upload) == ("create_repo", "upload_folder")
    assert asked == {
        "repo_id": "someone/triplets",
        "repo_type": "dataset",
        "private": True,
        "exist_ok": True,
    }
    assert (options["repo_id"], options["repo_type"]) == ("someone/triplets", "dataset")
    assert options["revision"] is None
    assert str(load_manifest(folder).sha256) in options["commit_message"]


def test_a_revision_is_made_and_pushed_to(lepbench: Any, folder: Path, hub: type[FakeHub]) -> None:
    assert lepbench("push", folder, "someone/triplets", "--revision", "canny").code == 0
    assert [name for name, _ in hub.calls] == ["create_repo", "create_branch", "upload_folder"]
    branch = {"repo_id": "someone/triplets", "branch": "canny", "repo_type": "dataset", "exist_ok": True}
    assert hub.calls[1][1] == branch
    assert hub.calls[2][1]["revision"] == "canny"
    assert hub.calls[0][1]["private"] is False


def test_the_calls_are_ones_that_the_hubs_client_takes(folder: Path, hub: type[FakeHub]) -> None:
    push(folder, "someone/triplets", lambda what, done, total: None, revision="canny")
    for name, options in hub.calls:
        taken = {"folder_path": folder, "allow_patterns": []} if name == "upload_folder" else {}
        inspect.signature(getattr(HfApi, name)).bind(None, **options, **taken)


@pytest.mark.parametrize("name", ["no/such/name", "someone/triplets"])
def test_the_hubs_own_client_refuses_in_one_line(
    lepbench: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # Nobody listens at port 9 of this machine: as good as being offline.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    line = only_line(lepbench("push", folder, name))
    assert line.startswith(f"lepbench: '{name}' could not be uploaded: ")
    assert line.endswith("check the name, the token and the connection")


def test_help_shows_examples_and_loads_nothing_heavy(lepbench: Any) -> None:
    for verb in ("verify", "export", "push"):
        assert "lepbench data " + verb in lepbench(verb, "--help").out
    code = "import sys, lepbench.cli.data; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"torch", "datasets", "pyarrow", "numpy", "pydantic"} & set(loaded.split())
