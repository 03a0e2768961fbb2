"""Whatever is wrong with a set is one line, before anything is loaded or drawn."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from lepbench import make_suite
from lepbench.config import dump_config
from lepbench.errors import LepbenchError
from lepbench.evaluation import last_judges, opening
from lepbench.run_sets.plan import make_plan, read_set
from lepbench.run_sets.plots import list_fitting
from lepbench.run_sets.tables import tabulate_tasks
from lepbench.suites import Suite

MODEL = {"name": "plain", "method": "unguided"}
LEP = {"name": "lep", "method": {"name": "lep"}, "sweep": {"method.scale": [0.8, 1.2]}}
PICTURES = {"name": "pictures", "method": {"name": "precomputed", "folder": "nowhere"}}
HERE = {"name": "precomputed", "folder": "."}
FRONT = {"front": ["edge_f1_1px", "kid"]}
FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"modles": []}, "unknown key 'modles'; did you mean 'models'?"),
    ({"models": []}, "models: the set is empty: list one or more"),
    ({"suites": []}, "suites: the set is empty"),
    ({"models": "a.yaml"}, "models: it must be a list of one or more, not"),
    ({"models": ["none.yaml"]}, "cannot read none.yaml: No such file"),
    ({"models": [{"use": "none.yaml", "sweep": {"preset": ["fast"]}}]}, "cannot read none.yaml"),
    ({"models": [{**MODEL, "sweeps": {}}]}, "unknown key 'sweeps'; did you mean 'sweep'?"),
    ({"models": [{**MODEL, "sweep": {"method.scale": 0.8}}]}, "method.scale is 0.8 and no list of values"),
    ({"models": [{**MODEL, "sweep": {"preset": "fast"}}]}, "preset is 'fast' and no list of values"),
    ({"models": [{**MODEL, "sweep": {"method.scale": []}}]}, "method.scale lists no value"),
    ({"models": [{**MODEL, "sweep": [1]}]}, "write the keys that take several values"),
    (
        {"models": [{"use": "a.yaml", "method": "lep"}]},
        "'use' goes with 'name' and 'sweep', not with 'method'",
    ),
    ({"models": [{"method": "unguided"}]}, "model has no name"),
    ({"models": [MODEL, MODEL]}, "two models are called 'plain'"),
    ({"models": [LEP, {**MODEL, "name": "LEP-scale-0.8"}]}, "'lep' with method.scale=0.8"),
    ({"suites": ["sketchworld-edge-v1"]}, "unknown suite"),
    ({"suites": ["sketchworld-edges-v1"] * 2}, "the set has 'sketchworld-edges-v1/lepbench-edges-v1' twice"),
    ({"protocols": ["lepbench-edge-v1"]}, "unknown protocol"),
    ({"limit": 9999}, "holds 512 items, not 9999"),
    ({"limit": 0}, "limit must be 1 or more, not 0"),
    ({"table": {"figures": ["edge_f1"]}}, "there is no figure 'edge_f1'"),
    ({"table": {"rows": ["models"]}}, "there is no row 'models'"),
    ({"table": {"rows": []}}, "table.rows must have at least 1 entry"),
    ({"limit": True}, "true and false are no numbers"),
    ({"models": [{**MODEL, "sampler": {"steps": True}}]}, "true and false are no numbers"),
    ({"device": "gpu"}, "no device 'gpu' here; use auto, cpu or cuda"),
    ({"models": [{**MODEL, "backbone": "mini@9"}]}, "model 'plain': no embedded model 'mini@9'; there are"),
    (
        {"models": [{**LEP, "method": {"name": "lep", "predictor": "lep@1"}}]},
        "model 'lep-scale-0.8': no embedded model 'lep@1'",
    ),
    ({"models": [MODEL, PICTURES]}, "model 'pictures': no such folder of pictures: nowhere"),
    (
        {"models": [{**PICTURES, "method": HERE}], "table": {"rows": ["unguided"]}},
        "no run has the row unguided; choose other 'table.rows'",
    ),
    ({"out": "o" * 300}, "can be no folder: File name too long; choose another 'out'"),
    ({"table": {"format": "html"}}, "table.format must be 'markdown', 'latex' or 'text', not 'html'"),
    ({"plots": [{"x": "method.scale"}]}, 'plot {"x": "method.scale"}: the key \'y\' is missing'),
    ({"plots": [{"x": "method.scale", "y": "edge_f1_1p"}]}, "there is no figure 'edge_f1_1p'"),
    (
        {"plots": [{"x": "method.scal", "y": "kid"}]},
        "nothing to plot over is called 'method.scal'; did you mean",
    ),
    ({"plots": [{"x": "level", "y": "edge_f1_1px"}]}, "items of suite 'sketchworld-edges-v1' have no level"),
    (
        {"suites": ["sketchworld-freehand-v1"], "plots": [{"x": "level", "y": "kid"}]},
        "kid@sketchworld-clip is of all samples together",
    ),
    ({"plots": [FRONT]}, "kid@sketchworld-clip has no closed ends for the area of a front; state its"),
    ({"plots": [{**FRONT, "box": {"kid": [0, 1]}}]}, "does not run to lower values, which are better"),
    ({"plots": [{"front": ["edge_f1_1px"]}]}, "front has too few entries; give one more"),
    ({"plots": [{"front": ["kid", "kid"]}]}, "the front is of kid against itself; give two figures"),
    ({"plots": [{**FRONT, "box": {"kd": [1, 0]}}]}, "box states the ends of 'kd'; did you mean 'kid'?"),
    ({"plots": [{"x": "seconds", "y": "kid"}] * 2}, "two plots are called 'kid-over-seconds'"),
]


@pytest.mark.parametrize(("keys", "said"), FAULTS, ids=[said[:40] for _, said in FAULTS])
def test_every_fault_is_one_line_before_anything_is_loaded(
    keys: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(last_judges, "load_judges", None)
    monkeypatch.setattr(opening, "load_backbone", None)
    document = {"name": "faulty", "models": [MODEL, LEP], **keys}
    Path("set.yaml").write_text(yaml.safe_dump(document))
    for given in (document, "set.yaml"):
        with pytest.raises(LepbenchError) as caught:
            make_plan(given)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["set.yaml"]


def test_a_plan_lists_every_model_on_every_task(tiny_set: Callable[..., dict[str, Any]]) -> None:
    suites = ["sketchworld-edges-v1", "sketchworld-freehand-v1"]
    plots = [
        {"x": "method.scale", "y": "faithful_iou"},
        {"x": "level", "y": "edge_f1_1px"},
        {**FRONT, "box": {"kid": [1, 0]}},
    ]
    plan = make_plan(tiny_set(MODEL, LEP, suites=suites, protocols=[], plots=plots), only="lep*")
    lines = plan.describe().splitlines()
    assert lines == [
        "missing       sketchworld-edges-v1/lepbench-edges-v1/lep-scale-0.8",
        "missing       sketchworld-edges-v1/lepbench-edges-v1/lep-scale-1.2",
        "missing       sketchworld-freehand-v1/lepbench-freehand-v1/lep-scale-0.8",
        "missing       sketchworld-freehand-v1/lepbench-freehand-v1/lep-scale-1.2",
        "runs: 4 (4 missing)",
    ]
    assert len(plan.runs) == 6
    assert len({run.folder for run in plan.runs}) == 6
    assert plan.keys == ["method.scale"]
    with pytest.raises(LepbenchError, match="no model of the set is called 'lepp\\*'"):
        make_plan(tiny_set(MODEL, LEP), only="lepp*")


def test_a_fault_of_a_plot_is_that_of_a_suite_with_its_figures(
    tiny_set: Callable[..., dict[str, Any]],
) -> None:
    suites = ["sketchworld-freehand-v1", "sketchworld-edges-v1"]
    misspelt = {"x": "method.scal", "y": "faithful_f1"}
    with pytest.raises(LepbenchError, match=r"nothing to plot over is called 'method.scal'; did you mean"):
        make_plan(tiny_set(LEP, suites=suites, protocols=[], plots=[misspelt]))
    plan = make_plan(tiny_set(LEP, suites=suites, protocols=[], plots=[{**misspelt, "x": "method.scale"}]))
    (plot,) = plan.config.plots
    assert [task.suite.name for task in list_fitting(plot, plan.runs)] == suites[1:]


@pytest.mark.parametrize("name", ["table.csv", "Suites", "set.json", "table.tex", "kid-over-seconds.png"])
def test_a_suite_called_like_a_file_of_the_set_is_refused(
    tiny_set: Callable[..., dict[str, Any]], tiny_suite: Suite, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "renamed"
    shutil.copytree(tiny_suite.folder, folder)
    about = tiny_suite.definition.model_copy(update={"name": name})
    (folder / "suite.yaml").write_text(dump_config(about))
    plots = [{"x": "seconds", "y": "kid"}]
    with pytest.raises(LepbenchError, match=f"suite '{name}' is called like a file or folder of the set"):
        make_plan(tiny_set(MODEL, suites=[str(folder)], protocols=[], plots=plots))


def test_a_table_of_rows_that_no_finished_run_has_is_a_line(tiny_set: Callable[..., dict[str, Any]]) -> None:
    given = tiny_set(MODEL, {**PICTURES, "method": HERE}, table={"rows": ["unguided"]})
    plan = make_plan(given)
    record: Any = SimpleNamespace(rows={"model": {}})
    finished = [(run, record) for run in plan.runs if run.variant.name == "pictures"]
    assert tabulate_tasks(plan.config.table, plan.tasks, finished) == (
        [],
        ["no table of tiny-suite/edges-alone: none of its runs has the row unguided"],
    )


def test_a_first_look_takes_two_items_or_as_many_as_there_are(
    tiny_set: Callable[..., dict[str, Any]], tiny_suite: Suite, tmp_path: Path
) -> None:
    few = make_suite("completion", "sketchworld-freehand-v1", tmp_path / "few", items=1, progress=False)
    suites = [str(tiny_suite.folder), str(few.folder)]
    plan = make_plan(tiny_set(MODEL, limit=9, suites=suites, protocols=[]), quick=True)
    assert [task.limit for task in plan.tasks] == [2, 1]
    assert {run.folder.parents[2] for run in plan.runs} == {tmp_path / "set-quick"}
    assert make_plan(tiny_set(MODEL, limit=1), quick=True).tasks[0].limit == 1


def test_a_set_is_written_as_it_is_read(tiny_set: Callable[..., dict[str, Any]]) -> None:
    used = {"use": "examples/mini-lep.yaml", "name": "used", "sweep": {"sampler.steps": [1, 2]}}
    plots = [{**FRONT, "box": {"kid": [1, 0]}}, {"x": "level", "y": "edge_f1_1px"}]
    config = read_set(tiny_set(MODEL, LEP, used, "examples/mini-lep.yaml", plots=plots))
    assert read_set(json.loads(config.model_dump_json())) == config


def test_a_folder_of_other_files_is_refused(tiny_set: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    folder = tmp_path / "set" / "tiny-suite" / "lepbench-edges-v1" / "plain"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("")
    (tmp_path / "set" / "set.json").write_text('{"name": "tiny-set"}')
    with pytest.raises(LepbenchError, match=r"holds other files, such as 'thesis.tex'"):
        make_plan(tiny_set(MODEL, protocols=[]))


def test_the_folder_of_a_run_or_of_another_set_is_refused(
    tiny_set: Callable[..., dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / ".DS_Store").write_text("")
    make_plan(tiny_set(MODEL))
    (folder / "table.csv").write_text("of a run")
    with pytest.raises(LepbenchError, match=r"set holds other files, such as 'table.csv'"):
        make_plan(tiny_set(MODEL))
    (folder / "set.json").write_text('{"name": "tiny-set"}')
    make_plan(tiny_set(MODEL))
    with pytest.raises(LepbenchError, match=r"set holds another set than 'other'"):
        make_plan(tiny_set(MODEL, name="other"))
