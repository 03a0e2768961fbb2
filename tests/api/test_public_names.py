"""`import lepbench` is quick, and what it has can be found by those who look."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import lepbench
import lepbench.metrics
from lepbench.metrics import modules

SECONDS = 2.0
"""Many times what an import takes, for a busy machine; torch alone takes longer on most."""
FUNCTIONS = [name for name in lepbench.__all__ if name.islower() and not name.startswith("_")]


def test_an_import_is_quick_and_leaves_torch_alone() -> None:
    code = (
        "import sys, time\nbegun = time.process_time()\nimport lepbench\ndir(lepbench)\n"
        "print(time.process_time() - begun)\n"
        "print(*{'torch', 'numpy', 'pandas', 'diffusers', 'pydantic'} & set(sys.modules))\n"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, heavy = found.stdout.splitlines()
    assert float(seconds) < SECONDS
    assert not heavy


def test_every_name_is_there_and_listed() -> None:
    assert {*lepbench.__all__, "metrics"} == set(dir(lepbench))
    assert all(getattr(lepbench, name) is not None for name in dir(lepbench))
    issued = {
        "evaluate",
        "compare",
        "verify",
        "build_data",
        "train_lep",
        "sample",
        "load_suite",
        "load_record",
    }
    issued |= {"load_triplets", "load_backbone", "load_predictor", "load_mini", "SketchGuidedPipeline"}
    assert issued <= set(lepbench.__all__)


def test_help_shows_every_name_with_what_it_does() -> None:
    text = pydoc.render_doc(lepbench, renderer=pydoc.plaintext)  # type: ignore[attr-defined]
    for name in FUNCTIONS:
        assert f"\n    {name}(" in text, name
        assert inspect.getdoc(getattr(lepbench, name)) is not None
    assert "class SketchGuidedPipeline" in text
    assert "class LepbenchError" in text
    assert f"VERSION\n    {lepbench.__version__}" in text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_docstring_names_every_argument(name: str) -> None:
    function = getattr(lepbench, name)
    text = str(inspect.getdoc(function))
    absent = [argument for argument in inspect.signature(function).parameters if argument not in text]
    assert not absent


def test_type_checkers_and_python_see_the_same_names() -> None:
    tree = ast.parse(Path(lepbench.__file__).read_text(encoding="utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: node.module
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name != "metrics"
    }
    assert imported == lepbench._PLACES
    assert {*imported, "__version__"} == set(lepbench.__all__)


def test_what_newcomers_guess_leads_to_names_that_exist() -> None:
    assert set(lepbench._MEANT) <= set(dir(lepbench))
    guesses = [guess for names in lepbench._MEANT.values() for guess in names]
    assert not set(guesses) & set(dir(lepbench))
    with pytest.raises(AttributeError, match=r"write lepbench.load_suite or lepbench.load_triplets"):
        lepbench.load_dataset  # noqa: B018
    with pytest.raises(AttributeError, match="did you mean 'evaluate'"):
        lepbench.evalute  # noqa: B018
    with pytest.raises(AttributeError, match="it has: LepbenchError, SketchGuidedPipeline"):
        lepbench.xyzzy  # noqa: B018


def test_metrics_lists_the_classes_of_its_modules() -> None:
    assert lepbench.metrics.__all__ == modules.__all__
    assert set(dir(lepbench.metrics)) == set(modules.__all__)
    assert all(getattr(lepbench.metrics, name) is getattr(modules, name) for name in modules.__all__)
    for guess in ("edge_f1", "edgef1", "EdgeF"):
        with pytest.raises(AttributeError, match="did you mean 'EdgeF1'"):
            getattr(lepbench.metrics, guess)


@pytest.mark.parametrize("name", ["loading", "sampling"])
def test_the_examples_of_docstrings_are_true(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"lepbench.api.{name}"))
    assert found.attempted > 1
    assert not found.failed
