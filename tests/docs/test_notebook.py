"""The notebook in examples/ runs, on fewer items, in this interpreter, and was stored as it came out."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from shrunk_examples import copy_examples

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
LARGEST = 300_000
"""Bytes of the file, pictures included."""
PLACES = re.compile(r"/(home|root|tmp|opt|usr|work|Users|private|var|mnt)/|[A-Z]:\\\\")
"""What paths of a machine begin with."""
SMALLER = {"suite[:6]": "suite[:2]", '"edge_f1_1px", 4': '"edge_f1_1px", 2', "limit=8": "limit=3"}
"""What the run has instead."""


class OwnKernel(AsyncKernelManager):
    """A kernel of the interpreter that runs the tests, whichever kernels are registered."""

    @property
    def kernel_spec(self) -> KernelSpec:
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=argv, language="python", display_name="Python 3")


@pytest.fixture
def stored() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


def shrink(source: str) -> str:
    """A cell's code on fewer items."""
    for said, instead in SMALLER.items():
        source = source.replace(said, instead)
    return source


def list_kinds(notebook: Any) -> list[list[list[str]]]:
    """Of every output of every cell of code, its types."""
    return [
        [sorted(output.get("data", {output.output_type: None})) for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


def test_it_is_small_whole_and_of_no_machine(stored: Any) -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < LARGEST
    nbformat.validate(stored)
    cells = [cell for cell in stored.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {output.output_type for cell in cells for output in cell.outputs} == {
        "display_data",
        "execute_result",
    }
    readable = [line for line in text.splitlines() if not line.lstrip().startswith('"image/png"')]
    assert not [line for line in readable if PLACES.search(line)]
    assert set(json.loads(text)["metadata"]) == {"kernelspec", "language_info"}
    assert not any(cell.metadata for cell in stored.cells)


def test_every_replacement_is_of_something_said(stored: Any) -> None:
    said = "".join(cell.source for cell in stored.cells)
    assert [text for text in SMALLER if text not in said] == []


@pytest.mark.slow
def test_it_runs_and_shows_what_was_stored(
    stored: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LEPBENCH_CACHE", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("MPLBACKEND", raising=False)
    copy_examples(tmp_path / "examples")
    fresh = nbformat.from_dict(stored)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.source, cell.outputs, cell.execution_count = shrink(cell.source), [], None
    NotebookClient(
        fresh,
        kernel_manager_class=OwnKernel,
        timeout=500,
        resources={"metadata": {"path": str(tmp_path / "examples")}},
    ).execute()
    # Bars and warnings would be streams, which the stored one has none of.
    assert list_kinds(fresh) == list_kinds(nbformat.read(NOTEBOOK, as_version=4))
    assert (tmp_path / "examples" / "runs" / "mini-lep-fast" / "record.json").is_file()
