"""A suite's name is a name, and the name of one that ships is that suite."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from lepbench.errors import LepbenchError
from lepbench.publishing.leaderboard import add_record
from lepbench.suites import Suite, load_suite
from lepbench.suites.suite import SUITES

SHIPPED = "sketchworld-edges-v1"


@pytest.fixture
def shadow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where one works, with another suite that is called like one that ships, its folder too."""
    folder = Path(shutil.copytree(SUITES / "sketchworld-freehand-v1", tmp_path / SHIPPED))
    name_suite(folder, SHIPPED)
    monkeypatch.chdir(tmp_path)
    return folder


def name_suite(folder: Path, name: str) -> None:
    path = folder / "suite.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "name": name}))


def test_a_folder_does_not_stand_before_a_suite_that_ships(shadow: Path) -> None:
    assert load_suite(SHIPPED).folder == SUITES / SHIPPED
    for path in (f"./{SHIPPED}", str(shadow), shadow, Path(SHIPPED)):
        assert load_suite(path).folder.resolve() == shadow
    # One that no suite is called is found without a separator.
    shutil.copytree(shadow, shadow.parent / "mine")
    assert load_suite("mine").folder == Path("mine")


def test_a_board_takes_no_other_suite_of_a_name_that_ships(shadow: Path, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match=r"is called like the suite .* that ships, and is another"):
        add_record(tmp_path / "run", tmp_path / "boards", load_suite(shadow))
    assert not (tmp_path / "boards").exists()


@pytest.mark.parametrize(
    "name", ["../../boards", "/tmp/x", "a/b", r"a\b", "", ".", "..", "a\nb", "=1", "x" * 101]
)
def test_a_suites_name_is_no_path(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(SUITES / SHIPPED, tmp_path / "s"))
    name_suite(folder, name)
    with pytest.raises(LepbenchError, match=r"suite.yaml: name must be a "):
        Suite(folder)
