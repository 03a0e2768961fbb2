"""What was trusted is what runs: a file's own functions, its source, at its place."""

from __future__ import annotations

import importlib.util
import py_compile
import shutil
from pathlib import Path

import pytest

from lepbench.errors import LepbenchError
from lepbench.guidance import SamplerSettings
from lepbench.methods.python import PythonConfig, find_callable
from lepbench.plugins import import_plugin
from lepbench.trust import require_trust, trusting_code

DRAWS = "import os\nfrom os import getcwd\n\ndef draw(prompts, sketches, seeds, size): ...\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["os.system", "getcwd", "os", "draw.__globals__", "draw.__call__"])
def test_a_target_leads_to_nothing_that_others_defined(place: Path, name: str) -> None:
    file = place / "leads_to_own.py"
    file.write_text(DRAWS)
    with trusting_code():
        module = import_plugin(str(file))
        assert callable(find_callable(module, "draw"))
        with pytest.raises(LepbenchError, match="has no callable"):
            PythonConfig(target=f"leads_to_own.py:{name}").build(None, SamplerSettings())


def test_bytecode_beside_a_trusted_file_is_not_run(place: Path) -> None:
    innocent, other = place / "of_source.py", place / "planted.txt"
    innocent.write_text("VALUE = 'source'\n")
    other.write_text("VALUE = 'bytecode'\n")
    cached = Path(importlib.util.cache_from_source(str(innocent)))
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(other), str(cached), invalidation_mode=unchecked)
    with trusting_code():
        assert import_plugin(str(innocent)).VALUE == "source"


def test_a_copy_elsewhere_is_asked_for_again(place: Path) -> None:
    (place / "moved.py").write_text("# moved\n")
    with trusting_code():
        require_trust("a test", [place / "moved.py"])
    require_trust("a test", [place / "moved.py"])
    (place / "elsewhere").mkdir()
    copy = Path(shutil.copy(place / "moved.py", place / "elsewhere"))
    with pytest.raises(LepbenchError, match="new here"):
        require_trust("a test", [copy])
