"""Suites that a set makes: the bytes of the command, made once, and refused where another lies there."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lepbench
from lepbench.cli.suite import command
from lepbench.errors import LepbenchError
from lepbench.progress import ignore_progress
from lepbench.run_sets.folder import claim_set_folder
from lepbench.run_sets.plan import make_plan, read_set
from lepbench.suites import Suite

Make = Callable[..., dict[str, Any]]
MODEL = {"name": "plain", "method": "unguided"}
ENTRY: dict[str, Any] = {
    "make": "completion",
    "of": "sketchworld-freehand-v1",
    "name": "unfinished",
    "items": 3,
    "set": {"fractions": [0.5, 1]},
}
LINES = [
    "to be made    suite unfinished",
    "missing       unfinished/lepbench-completion-v1/plain",
    "runs: 1 (1 missing)",
]


@pytest.fixture
def described(tiny_set: Make) -> Make:
    """A set of one suite that it makes, other keys of which may be given."""

    def make(**keys: Any) -> dict[str, Any]:
        return tiny_set(MODEL, suites=[ENTRY | keys], protocols=[])

    return make


@pytest.fixture
def made(described: Make, tmp_path: Path) -> Path:
    """The folder of that suite, made."""
    plan = make_plan(described())
    claim_set_folder(plan.config)
    plan.make_suites(lambda line: nullcontext(ignore_progress))
    return tmp_path / "set" / "suites" / "unfinished"


def read_folder(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_made_suite_has_the_bytes_of_the_command(made: Path, tmp_path: Path) -> None:
    options = ["--name", "unfinished", "--items", "3", "--set", "fractions=[0.5,1]"]
    given = ["make", "completion", "sketchworld-freehand-v1", "--out", str(tmp_path / "s"), *options]
    assert CliRunner().invoke(command, given, catch_exceptions=False).exit_code == 0
    assert read_folder(made) == read_folder(tmp_path / "s")


def test_a_plan_lists_a_suite_and_makes_none(described: Make, tmp_path: Path) -> None:
    plan = make_plan(described())
    assert plan.describe().splitlines() == LINES
    assert not (tmp_path / "set").exists()
    level = {"x": "level", "y": "unseen_recall_2px"}
    make_plan(described() | {"plots": [level]})
    with pytest.raises(LepbenchError, match="there is no figure 'edge_f1_1px'"):
        make_plan(described() | {"plots": [level | {"y": "edge_f1_1px"}]})


def test_a_suite_that_is_there_is_read(made: Path, described: Make) -> None:
    assert make_plan(described()).describe().splitlines() == LINES[1:]
    # As many as there are: the same suite, whatever the number that was asked for.
    (task,) = make_plan(described()).tasks
    assert task.suite.folder == made


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"items": 2}, "items"),
        ({"items": 4}, "items"),
        ({"seed": 1}, "seed"),
        ({"set": {"fractions": [0.4, 1]}}, "levels, fractions"),
        ({"make": "strokes", "set": {"weights": [0.5, 1]}}, "protocol, corpus, weights"),
    ],
)
def test_another_suite_in_its_place_is_refused(
    made: Path, described: Make, keys: dict[str, Any], said: str
) -> None:
    kept = read_folder(made)
    with pytest.raises(LepbenchError) as caught:
        make_plan(described(**keys))
    assert str(caught.value) == (
        f"{made} holds another suite than the set describes (differs in {said}); "
        "rename the suite in the set, or delete that folder"
    )
    assert read_folder(made) == kept


def test_a_suite_under_another_name_or_changed_is_refused(made: Path, described: Make) -> None:
    made.rename(made.with_name("renamed"))
    with pytest.raises(LepbenchError, match=r"\(differs in name\)"):
        make_plan(described(name="renamed"))
    items = made.with_name("renamed") / "items.parquet"
    items.write_bytes(items.read_bytes() + b" ")
    with pytest.raises(LepbenchError, match=r"items.parquet is not the list that suite.yaml names"):
        make_plan(described(name="renamed"))


def test_one_that_was_not_finished_is_made_and_other_files_are_refused(made: Path, described: Make) -> None:
    whole = read_folder(made)
    (made / "suite.yaml").unlink()
    plan = make_plan(described())
    assert plan.describe().splitlines() == LINES
    plan.make_suites(lambda line: nullcontext(ignore_progress))
    assert read_folder(made) == whole
    (made / "suite.yaml").rename(made / "thesis.tex")
    with pytest.raises(LepbenchError, match="unfinished holds other files than a suite's; rename the suite"):
        make_plan(described())


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"make": "completoin"}, "suite 'unfinished': unknown corpus 'completoin'; did you mean 'completion'?"),
    ({"of": None}, "suite 'unfinished': completion needs 'of'; name what it is made of"),
    ({"of": "sketchworld-free"}, "suite 'unfinished': unknown suite 'sketchworld-free'"),
    ({"of": "sketchworld-edges-v1"}, "suite 'unfinished': completion needs numbered strokes"),
    ({"set": {"fractions": [1, 0.5]}}, "must rise"),
    ({"set": {"fraction": [1]}}, "unknown key 'fraction'; did you mean 'fractions'?"),
    ({"size": 32}, "suite 'unfinished': completion takes no --size"),
    ({"items": True}, "suite unfinished: items: true and false are no numbers"),
    ({"items": 0}, "suite unfinished: items must be 1 or more, not 0"),
    ({"name": "a/b"}, "suite a/b: name must be a name of letters"),
    ({"limit": 3}, "suite unfinished: unknown key 'limit'"),
]


@pytest.mark.parametrize(("keys", "said"), FAULTS, ids=[said[-30:] for _, said in FAULTS])
def test_what_cannot_be_made_is_one_line(
    described: Make, tmp_path: Path, keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(LepbenchError) as caught:
        make_plan(described(**keys))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_two_suites_of_one_name_are_refused(tiny_set: Make) -> None:
    suites = [ENTRY, ENTRY | {"make": "strokes", "name": "Unfinished", "set": {}}]
    with pytest.raises(LepbenchError, match="the set makes two suites called 'unfinished'; rename one"):
        make_plan(tiny_set(MODEL, suites=suites, protocols=[]))


def test_a_set_with_a_suite_is_written_as_it_is_read(described: Make) -> None:
    config = read_set(described())
    assert read_set(json.loads(config.model_dump_json())) == config


@pytest.mark.slow
def test_a_set_makes_its_suite_and_evaluates_whole_originals(
    tiny_set: Make, tiny_entry: Make, drawn: Counter[str], tmp_path: Path
) -> None:
    given = tiny_set(tiny_entry("a"), suites=[ENTRY], limit=2)
    terms = "name: edges-alone\nextends: lepbench-freehand-v1\nmeasures: [edges]\n"
    (tmp_path / "edges-alone.yaml").write_text(terms)
    seen: list[str] = []
    outcome = lepbench.run_set(given, progress=lambda stage, done, total: seen.append(stage))
    assert seen[0] == "suite unfinished: items"
    (record,) = outcome.records.values()
    folder = outcome.folder / "suites" / "unfinished"
    assert record.identity.suite_sha256 == Suite(folder).sha256
    assert record.identity.items == 4
    assert "4 items (2 with 2 variants), 1 each" in (outcome.folder / "table.md").read_text()

    drawn.clear()
    assert lepbench.run_set(given, progress=False).to_frame().equals(outcome.to_frame())
    # Made again, the suite is the same, and so are its runs.
    shutil.rmtree(folder)
    done = ["to be made    suite unfinished", "done          unfinished/edges-alone/a", "runs: 1 (1 done)"]
    assert make_plan(given).describe().splitlines() == done
    assert lepbench.run_set(given, progress=False).to_frame().equals(outcome.to_frame())
    assert not drawn
