"""`--import` and `$LEPBENCH_IMPORT`: what is found, and that it is trusted first, once, by its hash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.plugins import IMPORT, find_sources, import_plugin
from lepbench.trust import TRUSTED, require_trust, trusting_code

Command = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
Write = Callable[[str, str], Path]

DETECTOR = '''
from typing import ClassVar, Literal
from pathlib import Path
from lepbench.detectors import DETECTORS, Detector

Path(__file__).with_suffix(".ran").touch()

@DETECTORS.register("{name}")
class Bright(Detector):
    """Calls an edge what is bright."""
    version: ClassVar[str] = "1"
    name: Literal["{name}"] = "{name}"
    def __call__(self, images):
        return images.mean(dim=1) > 0.5
'''


def listed(said: str) -> set[str]:
    return {line.split()[0] for line in said.splitlines()}


@pytest.mark.parametrize("how", ["file", "folder with a space", "module"])
def test_code_runs_once_it_is_trusted_and_until_it_changes(
    lepbench: Command, refused: Refused, write: Write, how: str
) -> None:
    name = how[:6].strip()
    places = {
        "file": ("bright_file.py", "bright_file.py"),
        "folder with a space": ("a b/bright_space.py", "a b/bright_space.py"),
        "module": ("bright_package/inner.py", "bright_package.inner"),
    }
    path, named = places[how]
    file = write(path, DETECTOR.format(name=name))
    package = write("bright_package/__init__.py", "# nothing\n")
    line = refused("list", "detectors", "--import", named)
    first = package if how == "module" else file
    assert line.startswith("lepbench: --import would run ")
    assert first.name in line
    assert line.endswith("read it, then add --trust-code once (in Python: evaluate(..., trust_code=True))")
    assert not file.with_suffix(".ran").exists()
    code, stdout, stderr = lepbench("list", "detectors", "--import", named, "--trust-code")
    assert (code, stderr) == (0, "")
    assert name in listed(stdout)
    assert lepbench("list", "detectors", "--import", named)[0] == 0
    changed = first
    changed.write_text(changed.read_text() + "# another line\n")
    assert changed.name in refused("list", "detectors", "--import", named)


def test_the_variable_names_code_too(
    lepbench: Command, refused: Refused, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("from_variable.py", DETECTOR.format(name="of-variable"))
    monkeypatch.setenv(IMPORT, str(file))
    line = refused("build-data", "sketchworld", "--detector", "of-variable", "--out", "o")
    assert f"${IMPORT} would run {file}" in line
    assert not file.with_suffix(".ran").exists()
    assert "of-variable" in listed(lepbench("list", "detectors", "--trust-code")[1])
    assert "of-variable" in listed(lepbench("list", "detectors")[1])


def test_trust_is_given_by_a_variable_as_well(
    lepbench: Command, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("quietly.py", DETECTOR.format(name="quietly"))
    monkeypatch.setenv("LEPBENCH_TRUST_CODE", "1")
    assert "quietly" in listed(lepbench("list", "detectors", "--import", "quietly.py")[1])


def test_a_flag_trusts_for_one_command(lepbench: Command, refused: Refused, write: Write) -> None:
    write("first_of_two.py", "")
    write("second_of_two.py", "# another\n")
    assert lepbench("list", "detectors", "--import", "first_of_two.py", "--trust-code")[0] == 0
    assert "second_of_two.py" in refused("list", "detectors", "--import", "second_of_two.py")


TWICE = """
from lepbench.detectors import DETECTORS, Canny
DETECTORS.register("canny")(Canny)
"""
ELSEWHERE = "has the name of another module; rename the file"
FAULTS = {
    "raises.py": (
        "\n\nraise ValueError('of no use')",
        "raises.py failed on import: ValueError: of no use (raises.py, line 3); correct it",
    ),
    "ends.py": ("raise SystemExit", "ends.py failed on import: SystemExit:"),
    "twice_of_canny.py": (
        TWICE,
        "detector 'canny' is registered twice, first by lepbench.detectors.canny (twice_of_canny.py, line 3)",
    ),
    "json.py": ("", f"json.py {ELSEWHERE}"),
    "time.py": ("", f"time.py {ELSEWHERE}"),
    "a.b.py": ("", "a.b.py cannot be imported; rename it, without a dot before .py"),
    "absent.py": (None, "no such file: absent.py; check the path"),
    "absent.module": (None, "no module 'absent'; check its name, or give a path that ends in .py"),
    ".relative": (None, "no module ''; check its name"),
    "math": (None, "module 'math' is no Python source file"),
}
"""What is imported: the text of the file, and what the line says."""


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_one_line(refused: Refused, write: Write, name: str) -> None:
    text, message = FAULTS[name]
    if text is not None:
        write(name, text)
    assert message in refused("list", "detectors", "--import", name, "--trust-code")


def test_files_of_a_module_are_found_without_running_them(write: Write) -> None:
    for name in (
        "outer_package/__init__.py",
        "outer_package/inner/__init__.py",
        "outer_package/inner/leaf.py",
    ):
        write(name, "raise RuntimeError")
    sys.path.append(str(Path.cwd()))
    found = [str(path.relative_to(Path.cwd())) for path in find_sources("outer_package.inner.leaf")]
    assert found == [
        "outer_package/__init__.py",
        "outer_package/inner/__init__.py",
        "outer_package/inner/leaf.py",
    ]
    with pytest.raises(LepbenchError, match=r"no module 'outer_package\.outer'"):
        find_sources("outer_package.outer")


def test_the_working_folder_hides_no_installed_module(write: Write) -> None:
    write("yaml.py", "raise RuntimeError")
    write("harmless_plugin.py", "import yaml\nyaml.safe_load('a')")
    with trusting_code():
        import_plugin("harmless_plugin")
    assert sys.path[0] != str(Path.cwd())


def test_a_path_that_is_no_text_is_trusted(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system takes text alone")
    (folder / "odd.py").write_text("# odd\n")
    with trusting_code():
        require_trust("a test", [folder / "odd.py"])
    require_trust("a test", [folder / "odd.py"])
    assert (tmp_path / "cache" / TRUSTED).read_text().count("\n") == 1


def test_where_nothing_can_be_remembered_the_flag_is_asked_for_again(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write("forgotten.py", "# forgotten\n")
    monkeypatch.setenv("LEPBENCH_CACHE", str(write("no-folder", "")))
    with trusting_code():
        require_trust("a test", [file])
    with pytest.raises(LepbenchError, match=r"forgotten\.py, which is new here or has changed"):
        require_trust("a test", [file])


@pytest.mark.slow
def test_a_detector_of_a_script_works_in_other_processes(write: Write, tmp_path: Path) -> None:
    write("bright_workers.py", DETECTOR.format(name="bright-workers"))
    build = ["build-data", "sketchworld", "--detector", "bright-workers", "--max-edges", "1"]
    size = ["--limit", "8", "--shard-rows", "4"]
    command = [sys.executable, "-m", "lepbench", *build, *size, "--import", "bright_workers.py"]
    for workers, out in ((2, "several"), (1, "one")):
        done = subprocess.run(
            [*command, "--workers", str(workers), "--out", out, "--trust-code", "--json"],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    shards = [sorted((tmp_path / out).rglob("*.parquet")) for out in ("several", "one")]
    assert len(shards[0]) == 2
    assert [path.read_bytes() for path in shards[0]] == [path.read_bytes() for path in shards[1]]
