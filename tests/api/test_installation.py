"""`lepbench doctor`: what it says of this installation, and of what configurations lack."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from stand_in_hub import StandInHub

from lepbench import embedded
from lepbench.api import installation
from lepbench.cli.doctor import command
from lepbench.files import format_bytes, measure_folder


@pytest.fixture(autouse=True)
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInHub:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    return StandInHub(tmp_path / "hub").take(monkeypatch)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(command, [*map(str, arguments)], catch_exceptions=False)


def read_checks(*arguments: object) -> dict[str, list[dict[str, Any]]]:
    """The checks of every subject."""
    found: dict[str, list[dict[str, Any]]] = {}
    for check in json.loads(call(*arguments, "--json").stdout)["checks"]:
        found.setdefault(check["subject"], []).append(check)
    return found


def write_model(path: Path, **keys: object) -> Path:
    path.write_text(json.dumps({"name": "mine", **keys}))
    return path


def test_a_whole_installation_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "file").write_bytes(b"x" * 1500)
    model = write_model(tmp_path / "mini.yaml", method="lep")
    result = call(model, "--json")
    said = json.loads(result.stdout)
    checks = {check["subject"]: check["said"] for check in said["checks"]}
    assert (result.exit_code, said["ok"]) == (0, True)
    assert checks["torch"] == version("torch")
    assert checks["lepbench cache"].startswith(f"1.5 kB in {tmp_path / 'cache'}, ")
    assert checks["network"] == "offline, by HF_HUB_OFFLINE"
    assert checks["embedded models"] == f"{len(embedded.read_hashes())} files with the right hashes"
    assert checks[str(model)] == "ready for sketchworld-edges-v1"


def test_lines_are_aligned_and_what_lacks_has_its_command(tmp_path: Path) -> None:
    model = write_model(
        tmp_path / "far.yaml", backbone="someone/far", method={"name": "lep", "predictor": "someone/lep"}
    )
    result = call(model, "--suite", "sketchworld-freehand-v1")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    fix = f"run 'lepbench prefetch {model} sketchworld-freehand-v1'"
    assert lines[-2:] == [
        f"{model}  lacks backbone: someone/far; {fix}",
        f"{model}  lacks predictor: someone/lep; {fix}",
    ]
    column = len(str(model)) + 2
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)


def test_detectors_judges_statistics_and_faults_are_said(tmp_path: Path) -> None:
    model = write_model(tmp_path / "mini.yaml", method="unguided")
    protocol = tmp_path / "terms.yaml"
    judges = [{"name": "dinov2", "model": "/absent", "label": "eyes"}]
    terms = {
        "name": "mine",
        "measures": ["edges", "distances"],
        "soft_detector": "dexined",
        "judges": judges,
        "reference": "/no/statistics",
    }
    protocol.write_text(json.dumps(terms))
    checks = read_checks(model, "--protocol", protocol)[str(model)]
    assert [(check["said"], check["fix"]) for check in checks] == [
        (
            "lacks detector 'dexined': the weights of 'dexined'",
            f"run 'lepbench prefetch {model} sketchworld-edges-v1 --protocol {protocol}'",
        ),
        ("lacks judge 'eyes': there is no such folder: /absent", "give a folder, or a hub id 'owner/name'"),
        (
            "lacks statistics: there are no statistics '/no/statistics'",
            "give a folder of 'lepbench statistics make', or 'items' for the items' own pictures",
        ),
    ]
    (wrong,) = read_checks(write_model(tmp_path / "wrong.yaml", methd="lep"))[str(tmp_path / "wrong.yaml")]
    assert wrong["said"].startswith("unknown key 'methd'")
    assert wrong["fix"]


def test_an_embedded_file_that_changed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "assets"
    shutil.copytree(embedded.ASSETS, copy)
    monkeypatch.setattr(embedded, "ASSETS", copy)
    assert embedded.list_damaged() == []
    (copy / "probe@1" / "model.safetensors").write_bytes(b"torn")
    (copy / "mini@1" / "vae" / "config.json").unlink()
    (check,) = read_checks()["embedded models"]
    assert check["said"] == "missing or another file: mini@1/vae/config.json, probe@1/model.safetensors"
    assert "reinstall" in check["fix"]


def test_the_hashes_that_ship_are_those_of_the_embedded_files() -> None:
    assert embedded.read_hashes() == embedded.measure_hashes(), (
        'run: python -c "from lepbench.embedded import write_hashes; write_hashes()"'
    )


def test_a_missing_package_has_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "LIBRARIES", ("torch", "absent-package"))
    (check,) = read_checks()["absent-package"]
    assert (check["said"], check["fix"]) == ("not installed", "run 'pip install absent-package'")


def test_bytes_are_written_in_the_unit_that_fits(tmp_path: Path) -> None:
    written = [format_bytes(size) for size in (0, 999, 1000, 999_949, 999_950, 3_438_000_000)]
    assert written == ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "3.4 GB"]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a" / "file")
    assert measure_folder(tmp_path / "a") == measure_folder(tmp_path) == 5
