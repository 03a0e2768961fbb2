"""A run that judges scored counts only with its own features, judges, statistics and terms."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from command import call_command
from judged_run import Run, run
from safetensors.numpy import load_file, save_file

from lepbench.api.running import evaluate
from lepbench.api.statistics import make_statistics
from lepbench.evaluation.features import read_features
from lepbench.evaluation.record import read_record, write_record
from lepbench.evaluation.summary import summarise_samples
from lepbench.files import sha256_file
from lepbench.methods import ModelConfig

__all__ = ["run"]

FEATURES = "features/model@dinov2-l14.safetensors"


@pytest.fixture
def place(run: Run, tmp_path: Path) -> Path:
    """A copy of the run, with the files that it was made with beside it."""
    for name in ("out", "clip", "large", "dinov2"):
        shutil.copytree(run.root / name, tmp_path / name)
    for name in ("inception.pt", "protocol.yaml"):
        shutil.copy(run.root / name, tmp_path / name)
    edit_record(tmp_path, lambda text: text.replace(str(run.root), str(tmp_path)))
    return tmp_path


def edit_record(place: Path, change: Callable[[str], str]) -> None:
    path = place / "out" / "record.json"
    path.write_text(change(path.read_text()))


def edit_features(place: Path, change: Callable[[np.ndarray], np.ndarray], *, hide: bool = True) -> None:
    """Change a file of features; and its hash in the record, to hide it."""
    path = place / "out" / FEATURES
    before = sha256_file(path)
    save_file({"features": change(load_file(path)["features"].copy())}, path)
    if hide:
        edit_record(place, lambda text: text.replace(before, sha256_file(path)))


def edit_bytes(path: Path) -> None:
    """Change the last byte of a file."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def drop_hash(place: Path) -> None:
    """Leave a file of features out of the record."""

    def change(text: str) -> str:
        document = json.loads(text)
        del document["features_sha256"][Path(FEATURES).name]
        return json.dumps(document)

    edit_record(place, change)


def edit_terms(place: Path) -> None:
    path = place / "protocol.yaml"
    path.write_text(path.read_text().replace("frechet_from: 4", "frechet_from: 5"))


Case = tuple[Callable[[Path], None], tuple[str, ...], str]
CASES: dict[str, Case] = {
    "features": (
        lambda place: edit_features(place, lambda matrix: matrix + 1, hide=False),
        (),
        f"{FEATURES} is missing or not the file of the record",
    ),
    "no features": (
        lambda place: (place / "out" / FEATURES).unlink(),
        (),
        f"{FEATURES} is missing or not the file of the record",
    ),
    "the hash of features": (
        lambda place: edit_record(
            place, lambda text: text.replace(sha256_file(place / "out" / FEATURES), "0" * 64)
        ),
        (),
        f"{FEATURES} is missing or not the file of the record",
    ),
    "features with their hash": (
        lambda place: edit_features(place, lambda matrix: matrix + np.arange(len(matrix))[:, None] % 2),
        (),
        "record says fd@dinov2-l14 of model has value",
    ),
    "features left out": (drop_hash, (), "has 0 features of model by judge 'dinov2-l14', not 24"),
    "fewer features": (
        lambda place: edit_features(place, lambda matrix: matrix[:-1]),
        (),
        "has 23 features of model by judge 'dinov2-l14', not 24",
    ),
    "features of another length": (
        lambda place: edit_features(place, lambda matrix: matrix[:, :-1]),
        (),
        "by judge 'dinov2-l14' of length ",
    ),
    "features that are no numbers": (
        lambda place: edit_features(place, lambda matrix: matrix * np.float32("nan")),
        (),
        f"{FEATURES} holds features that are no finite numbers",
    ),
    "a judge": (
        lambda place: edit_bytes(place / "dinov2" / "model.safetensors"),
        ("--images",),
        "holds other files than the protocol's judge 'dinov2-l14'",
    ),
    "a judge's program": (
        lambda place: edit_bytes(place / "inception.pt"),
        ("--images",),
        "inception.pt has SHA-256",
    ),
    "a judge's settings": (
        lambda place: edit_bytes(place / "clip" / "preprocessor_config.json"),
        ("--images",),
        "holds other files than the protocol's judge 'openai-b16'",
    ),
    "terms": (
        edit_terms,
        ("--protocol", "protocol.yaml"),
        "was scored by another protocol than the present small-photographs",
    ),
    "recorded terms": (
        lambda place: edit_record(place, lambda text: text.replace('"frechet_from": 4', '"frechet_from": 5')),
        (),
        "was scored by another protocol than the present small-photographs",
    ),
    "a recorded judge": (
        lambda place: edit_record(place, lambda text: text.replace('"size": 56', '"size": 70')),
        (),
        "was scored by another protocol than the present small-photographs",
    ),
}


@pytest.fixture
def verify(
    run: Run, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """`lepbench verify` of the copied run; its exit code, stdout and stderr."""
    monkeypatch.chdir(place)

    def command(folder: str, *options: str) -> tuple[int, str, str]:
        arguments = [
            "verify",
            folder,
            "--suite",
            str(run.suite.folder),
            "--device",
            "cpu",
            # Its TorchScript judge is a program that the record alone names.
            "--trust-code",
            *options,
        ]
        capsys.readouterr()
        code = call_command(monkeypatch, *arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


def test_a_judged_run_is_borne_out_with_its_features(verify: Callable[..., tuple[int, str, str]]) -> None:
    code, said, _ = verify("out", "--images")
    assert (code, said.count("60 samples from their pictures")) == (0, 1)
    found = json.loads(verify("out", "--images", "--json")[1])
    # Its pictures were drawn elsewhere, and are not drawn anew.
    assert (found["level"], found["checks"]["redrawn"]["checked"]) == ("self-reported", "")
    assert list(found["checks"]) == [
        "suite",
        "counts",
        "pictures",
        "references",
        "networks",
        "judges",
        "redrawn",
        "guard",
    ]
    assert found["checks"]["pictures"] == {"checked": "60 samples from their pictures", "not_checked": ""}
    # Paths in a protocol are relative to where one works.
    assert verify("out", "--protocol", "protocol.yaml")[0] == 0


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_was_changed_is_one_line(
    name: str, place: Path, verify: Callable[..., tuple[int, str, str]]
) -> None:
    change, options, message = CASES[name]
    change(place)
    code, said, err = verify("out", *options)
    lines = [line for line in err.strip().splitlines() if "-:--:--" not in line and "0:00:" not in line]
    assert (code, said, len(lines)) == (2, "", 1), err
    assert message in lines[0]


def test_other_statistics_are_refused(
    run: Run, place: Path, verify: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEPBENCH_CACHE", str(place / "cache"))
    make_statistics(run.root / "pictures", "protocol.yaml", "known", device="cpu", progress=False)
    model = ModelConfig.model_validate(run.record.identity.model.model_dump())
    options: dict[str, Any] = {"samples_per_item": 2, "device": "cpu", "progress": False}
    evaluate(model, run.suite, place / "again", protocol="protocol.yaml", statistics="known", **options)
    assert verify("again")[0] == 0
    edit_bytes(place / "known" / "inception.safetensors")
    code, _, err = verify("again")
    assert (code, "does not hold the statistics that protocol" in err) == (2, True), err


def test_features_of_other_pictures_with_figures_that_follow_from_them_are_found_by_the_pictures(
    run: Run, place: Path, verify: Callable[..., tuple[int, str, str]]
) -> None:
    edit_features(place, lambda matrix: matrix[np.r_[1, 0, 2:24]])
    record = read_record(place / "out")
    features = read_features(place / "out", record.features_sha256)
    rows = summarise_samples(pq.read_table(place / "out" / "samples.parquet"), features, {}, record.protocol)
    write_record(place / "out", record.model_copy(update={"rows": rows}))
    assert rows != run.record.rows
    assert verify("out")[0] == 0
    code, _, err = verify("out", "--images")
    assert (code, "has other features by judge 'dinov2-l14' than are stored" in err) == (2, True), err
