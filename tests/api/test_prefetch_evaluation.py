"""What a run needs is listed, fetched and locked ahead; offline it then runs, and else says what to run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from command import call_command
from stand_in_hub import COMMIT, StandInHub

from lepbench.api.installation import check_lockfile
from lepbench.api.needs import Planned
from lepbench.api.sets import run_set
from lepbench.backbones.load import list_component_files
from lepbench.backbones.resolve import find_embedded_folder
from lepbench.cli.prefetch import command
from lepbench.config import read_yaml
from lepbench.errors import LepbenchError
from lepbench.evaluation.lockfile import read_lockfile
from lepbench.files import sha256_file
from lepbench.needs import list_absent

SUITE = "sketchworld-edges-v1"
COMPONENTS = {
    "unet": "diffusers.UNet2DConditionModel",
    "vae": "diffusers.AutoencoderKL",
    "text_encoder": "transformers.CLIPTextModel",
}
LEFT_OUT = (
    "v1.ckpt",
    "README.md",
    "unet/diffusion_pytorch_model.bin",
    "unet/diffusion_pytorch_model.fp16.safetensors",
    "safety_checker/model.safetensors",
)
"""Files of the published model that no run reads."""


@pytest.fixture
def hub(tmp_path: Path, tiny_pipeline_folder: Path, monkeypatch: pytest.MonkeyPatch) -> StandInHub:
    monkeypatch.setenv("LEPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    monkeypatch.chdir(tmp_path)
    published = tmp_path / "published"
    shutil.copytree(tiny_pipeline_folder, published)
    for name in LEFT_OUT:
        (published / name).parent.mkdir(exist_ok=True)
        (published / name).write_bytes(b"not read")
    hub = StandInHub(tmp_path / "hub").take(monkeypatch)
    hub.publish("someone/tiny", published)
    hub.publish("someone/controls", find_embedded_folder("controlnet-mini@1"))
    return hub


@pytest.fixture
def edges(tmp_path: Path) -> Path:
    """A protocol without judges."""
    path = tmp_path / "edges.yaml"
    path.write_text("name: edges-alone\nmeasures: [edges]\njudges: []\n")
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text("name: tiny\nbackbone: someone/tiny\nsampler: {steps: 1}\nmethod: unguided\n")
    return path


def list_read(folder: Path) -> set[str]:
    """The files of the tiny pipeline that `load_backbone` reads, by the loader's own account."""
    files = {
        f"{part}/{name}"
        for part, kind in COMPONENTS.items()
        for name in list_component_files(folder / part, kind)
    }
    tokenizer = {f"tokenizer/{path.name}" for path in (folder / "tokenizer").iterdir()}
    return {"model_index.json", "scheduler/scheduler_config.json", *files, *tokenizer}


def test_a_dry_run_names_the_files_and_fetches_the_index_alone(hub: StandInHub, model: Path) -> None:
    result = CliRunner().invoke(command, [str(model), SUITE, "--dry-run", "--json"], catch_exceptions=False)
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    published = hub.models["someone/tiny"]
    assert set(rows) == list_read(published)
    assert all(row["size"] == (published / name).stat().st_size for name, row in rows.items())
    assert [name for name, row in rows.items() if row["here"]] == ["model_index.json"]
    assert hub.fetched == ["someone/tiny/model_index.json"]
    plain = CliRunner().invoke(command, [str(model), SUITE, "--dry-run"], catch_exceptions=False).stdout
    assert "fetch  backbone: someone/tiny: unet/diffusion_pytorch_model.safetensors" in plain
    assert plain.splitlines()[-1].endswith("to fetch")


def test_what_was_fetched_runs_offline_and_else_the_command_is_said(
    hub: StandInHub,
    model: Path,
    edges: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evaluate = ["evaluate", model, "--protocol", edges, "--limit", 1, "--out", tmp_path / "run"]
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert call_command(monkeypatch, *evaluate) == 2
    said = f"run with a connection: lepbench prefetch {model} {SUITE} --protocol {edges}"
    expected = f"lepbench: not here, and work is offline: backbone (someone/tiny); {said}\n"
    assert capsys.readouterr().err == expected

    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert call_command(monkeypatch, "prefetch", model, SUITE, "--protocol", edges) == 0
    published = hub.models["someone/tiny"]
    assert {name.removeprefix("someone/tiny/") for name in hub.fetched} == list_read(published)
    (source,) = read_lockfile(tmp_path / "lepbench.lock.yaml").sources
    assert (source.what, source.source, source.revision) == ("backbone", "someone/tiny", COMMIT)
    assert {file.name: file.sha256 for file in source.files} == {
        name: sha256_file(published / name) for name in list_read(published)
    }

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    assert call_command(monkeypatch, *evaluate, "--lock", "lepbench.lock.yaml") == 0
    assert json.loads((tmp_path / "run" / "record.json").read_text())["identity"]["items"] == 1
    assert set(hub.asked) == {COMMIT}
    (hub.cached("someone/tiny") / "vae" / "config.json").write_text("{}")
    capsys.readouterr()
    assert call_command(monkeypatch, *evaluate, "--lock", "lepbench.lock.yaml") == 2
    assert "not the files of the lockfile: vae/config.json of someone/tiny" in capsys.readouterr().err


def test_a_set_offline_says_what_fetches_the_first_model_that_is_not_here(
    hub: StandInHub, model: Path, edges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    document = {"name": "few", "models": [str(model)], "suites": [SUITE], "protocols": [str(edges)]}
    said = rf"backbone \(someone/tiny\); run with a connection: lepbench prefetch {model} {SUITE}"
    with pytest.raises(LepbenchError, match=said):
        run_set(document, progress=False)


def test_a_set_is_fetched_whole_and_runs_offline_by_its_lockfile(
    hub: StandInHub,
    model: Path,
    edges: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "set.yaml"
    kept = f"suites: [{SUITE}]\nprotocols: [{edges}]\nlimit: 1\nsheet_items: 0\n"
    path.write_text(f"name: few\nout: few\nmodels: [{model}, examples.yaml]\n{kept}")
    (tmp_path / "examples.yaml").write_text("name: other\nmethod: unguided\nsampler: {steps: 1}\n")
    assert call_command(monkeypatch, "prefetch", path, SUITE) == 2
    assert "is a set: it names suites and protocols; leave them out" in capsys.readouterr().err
    assert call_command(monkeypatch, "prefetch", path) == 0
    lock = read_lockfile(tmp_path / "lepbench.lock.yaml")
    assert (lock.model, lock.suite) == (str(path), None)
    assert [(source.source, source.revision) for source in lock.sources] == [("someone/tiny", COMMIT)]

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    hub.asked.clear()
    assert call_command(monkeypatch, "run", path, "--lock", "lepbench.lock.yaml") == 0
    assert set(hub.asked) == {COMMIT}
    assert len(list((tmp_path / "few").rglob("record.json"))) == 2
    (hub.cached("someone/tiny") / "vae" / "config.json").write_text("{}")
    capsys.readouterr()
    assert call_command(monkeypatch, "run", path, "--lock", "lepbench.lock.yaml") == 2
    said = capsys.readouterr().err
    assert f"vae/config.json of someone/tiny; run lepbench prefetch {path}\n" in said


def test_a_second_time_nothing_is_fetched_and_a_lock_tells_of_another_file(
    hub: StandInHub, model: Path, tmp_path: Path
) -> None:
    call = [str(model), SUITE, "--lock", str(tmp_path / "lock.yaml")]
    for _ in range(2):
        CliRunner().invoke(command, call, catch_exceptions=False)
    assert len(hub.fetched) == len(set(hub.fetched))
    assert check_lockfile(tmp_path / "lock.yaml").fix == ""
    changed = hub.cached("someone/tiny") / "vae" / "config.json"
    changed.write_text("{}")
    check = check_lockfile(tmp_path / "lock.yaml")
    assert check.said == "missing or another file: vae/config.json of someone/tiny"
    assert check.fix == f"run 'lepbench prefetch {model} {SUITE}'"


def test_a_file_that_the_hub_states_otherwise_is_refused(hub: StandInHub, model: Path) -> None:
    cached = hub.cached("someone/tiny") / "vae" / "diffusion_pytorch_model.safetensors"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"broken off")
    with pytest.raises(LepbenchError, match="is not the file that the hub states: 10 bytes"):
        CliRunner().invoke(command, [str(model), SUITE], catch_exceptions=False)


@pytest.mark.parametrize("weights", ["half", "shards"])
def test_other_forms_of_weights_are_those_that_the_loader_reads(
    hub: StandInHub, model: Path, weights: str
) -> None:
    unet = hub.models["someone/tiny"] / "unet"
    (unet / "diffusion_pytorch_model.safetensors").unlink()
    if weights == "shards":
        index = {"weight_map": {"a": "diffusion_pytorch_model-00001-of-00001.safetensors"}}
        (unet / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
        (unet / "diffusion_pytorch_model-00001-of-00001.safetensors").write_bytes(b"a shard")
    CliRunner().invoke(command, [str(model), SUITE], catch_exceptions=False)
    fetched = {name.rpartition("/")[2] for name in hub.fetched if "/unet/" in name}
    assert fetched == set(list_component_files(unet, COMPONENTS["unet"]))
    planned = Planned(model, SUITE)
    assert list_absent(planned.list_needs()) == []
    if weights == "shards":
        (hub.cached("someone/tiny") / "unet" / "diffusion_pytorch_model-00001-of-00001.safetensors").unlink()
        assert [need.what for need in list_absent(planned.list_needs())] == ["backbone"]


def test_weights_that_are_not_read_are_said_before_anything_is_fetched(hub: StandInHub, model: Path) -> None:
    (hub.models["someone/tiny"] / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(LepbenchError, match=r"someone/tiny has no vae/diffusion_pytorch_model\.safetensors"):
        CliRunner().invoke(command, [str(model), SUITE], catch_exceptions=False)
    assert hub.fetched == ["someone/tiny/model_index.json"]


def test_a_control_module_and_judges_of_the_hub_are_needed_too(hub: StandInHub, tmp_path: Path) -> None:
    control = "{name: controlled, control: someone/controls, preset: controlnet-mini@1}"
    model = tmp_path / "controlled.yaml"
    model.write_text(f"name: controlled\nmethod: {control}\n")
    judges = tmp_path / "judges.yaml"
    judges.write_text(f"- {{name: clip, model: someone/judge, revision: {COMMIT}, label: eyes}}\n")
    judge = tmp_path / "judge"
    judge.mkdir()
    read = ("config.json", "tokenizer.json", "model.safetensors")
    for name in (*read, "pytorch_model.bin", "flax_model.msgpack"):
        (judge / name).write_text("{}")
    hub.publish("someone/judge", judge)
    result = CliRunner().invoke(
        command, [str(model), SUITE, "--judges", str(judges), "--json"], catch_exceptions=False
    )
    files = {
        source["what"]: {file["name"] for file in source["files"]}
        for source in json.loads(result.stdout)["sources"]
    }
    assert files == {
        "control module": {"config.json", "diffusion_pytorch_model.safetensors"},
        "judge 'eyes'": set(read),
    }
    assert read_yaml(tmp_path / "lepbench.lock.yaml")["suite"] == SUITE


def test_verbs_that_do_not_fit_are_one_line(hub: StandInHub, model: Path) -> None:
    for call, said in (
        ([str(model)], "what a run needs depends on its suite"),
        (["hed", SUITE], "'hed' is no MODEL.yaml"),
        (
            [str(model), SUITE, "--sha256", "0" * 64],
            "are options of a detector's weights",
        ),
    ):
        with pytest.raises(LepbenchError, match=said):
            CliRunner().invoke(command, call, catch_exceptions=False)
