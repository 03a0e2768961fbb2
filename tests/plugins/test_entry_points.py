"""Packages that announce plug-ins: found when a name is not known, and each for itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lepbench import plugins
from lepbench.errors import LepbenchError
from lepbench.registry import Registry

Command = Callable[..., tuple[int, str, str]]
Write = Callable[[str, str], Path]
SHELF: Registry[int] = Registry("thing")


@pytest.fixture(autouse=True)
def own_shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SHELF, "_entries", {"built-in": 1})
    monkeypatch.setattr(SHELF, "_modules", {"built-in": "lepbench.things"})


@pytest.fixture
def install(write: Write, tmp_path: Path) -> Callable[[str, str], None]:
    """A package of one module as pip leaves it; importing it writes a file beside it."""

    def installed(name: str, text: str) -> None:
        begin = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\n"
        begin += "from test_entry_points import SHELF\n"
        (tmp_path / "site" / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / "site" / f"{name}.py").write_text(begin + text)
        write(f"site/{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        write(f"site/{name}-1.0.dist-info/entry_points.txt", f"[lepbench.plugins]\n{name} = {name}\n")
        if str(tmp_path / "site") not in sys.path:
            sys.path.append(str(tmp_path / "site"))

    return installed


def test_a_package_adds_names(install: Callable[[str, str], None]) -> None:
    install("adds", "SHELF.register('theirs')(2)")
    assert SHELF.get("theirs") == 2
    assert SHELF.find_module("theirs") == "adds"
    assert sorted(SHELF) == ["built-in", "theirs"]


def test_no_package_is_imported_for_a_name_that_is_known(
    install: Callable[[str, str], None], tmp_path: Path
) -> None:
    install("idle", "SHELF.register('theirs')(2)")
    assert SHELF.get("built-in") == 1
    assert SHELF.list_loaded() == (1,)
    assert not (tmp_path / "site" / "idle.ran").exists()


def test_one_that_raises_is_told_of_where_a_name_is_missing_and_spoils_nothing(
    install: Callable[[str, str], None],
) -> None:
    install("good", "SHELF.register('theirs')(2)")
    install("broken", "raise RuntimeError('no\\nlicence')")
    install("leaves", "raise SystemExit(3)")
    assert SHELF.get("theirs") == 2
    with pytest.raises(LepbenchError) as raised:
        SHELF.get("their")
    said = str(raised.value)
    assert said.startswith("unknown thing 'their'; did you mean 'theirs'?; ")
    assert "plug-in 'broken' of broken 1.0 failed on import: RuntimeError: no licence" in said
    assert "plug-in 'leaves' of leaves 1.0 failed on import: SystemExit: 3" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SHELF.register('built-in')(2)", "thing 'built-in' is registered twice, first by lepbench.things"),
        ("import nowhere_at_all", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("def f(:", "SyntaxError: invalid syntax"),
        (
            "from lepbench.methods import METHODS\nMETHODS.register('m')(type('M', (), {}))",
            "TypeError: method 'm' is no subclass of MethodConfig",
        ),
        (
            "from lepbench.evaluation.measures import MEASURES, Measure\n"
            "class M(Measure):\n    def metrics(self, protocol): return []\n"
            "MEASURES.register('m')(M)",
            "TypeError: measure 'm': M lacks columns, count, draws",
        ),
        (
            "from lepbench.detectors import DETECTORS, Detector\n"
            "class D(Detector):\n    def __call__(self, images): return images\n",
            "TypeError: detector class D lacks 'version'",
        ),
    ],
)
def test_what_is_wrong_with_a_package_is_listed(
    install: Callable[[str, str], None], lepbench: Command, text: str, message: str
) -> None:
    install("wrong", text)
    code, stdout, _ = lepbench("list", "plugins")
    lines = [line for line in stdout.splitlines() if line.startswith("wrong ")]
    assert (code, len(lines)) == (0, 1)
    assert lines[0].split()[:4] == ["wrong", "wrong", "wrong", "1.0"]
    assert message in lines[0]


def test_a_package_that_asks_a_registry_while_it_is_imported(install: Callable[[str, str], None]) -> None:
    install("asks", "assert 'absent' not in SHELF\nSHELF.register('theirs')(2)")
    assert SHELF.get("theirs") == 2


def test_an_unknown_plug_in_in_a_configuration_is_one_line(
    install: Callable[[str, str], None], refused: Callable[..., str], write: Write
) -> None:
    install("broken", "raise RuntimeError('no licence')")
    model = write("m.yaml", "name: m\nmethod: {name: preconputed}\n")
    line = refused("evaluate", model)
    assert "m.yaml: unknown method 'preconputed'; did you mean 'precomputed'?" in line
    assert "plug-in 'broken' of broken 1.0 failed on import: RuntimeError: no licence" in line
    for arguments in (
        ("evaluate", write("n.yaml", "name: n\nmethod: unguided\n"), "--suite", "nosuch"),
        ("build-data", "nosuch", "--out", "o"),
        ("build-data", "sketchworld", "--detector", "nosuch", "--out", "o"),
    ):
        line = refused(*arguments)
        assert "'nosuch'" in line
        assert "RuntimeError: no licence" in line


@pytest.mark.slow
def test_importing_lepbench_asks_no_registry(install: Callable[[str, str], None], tmp_path: Path) -> None:
    (tmp_path / "test_entry_points.py").write_text(
        "from lepbench.registry import Registry\nSHELF = Registry('x')"
    )
    install("early", "raise RuntimeError")
    script = (
        "import importlib, pkgutil, sys, lepbench\n"
        f"sys.path.append({str(tmp_path / 'site')!r})\n"
        "for found in pkgutil.walk_packages(lepbench.__path__, 'lepbench.'):\n"
        "    found.name.endswith('__main__') or importlib.import_module(found.name)\n"
        "from lepbench.detectors import DETECTORS\n"
        "print('early' in sys.modules, list(DETECTORS)[0])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "canny"]
    assert (tmp_path / "site" / "early.ran").exists()  # when the names were asked for


def test_modules_are_named_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(plugins.IMPORT, f"one{os.pathsep}a folder/two.py{os.pathsep}")
    assert plugins.list_named() == ["one", "a folder/two.py"]
