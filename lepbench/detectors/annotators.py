"""The networks of the package controlnet_aux, without its other imports."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from lepbench.errors import LepbenchError

PACKAGE = "controlnet_aux"
SHELL = "controlnet_aux_networks"
"""An alias of the package that skips its `__init__`, which imports all detectors."""


def load_annotator(module: str, name: str) -> Any:
    """A class or function of one of the package's modules, such as `hed`.

    Raises:
        LepbenchError: the package is not installed, or has changed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        fix = "install it: pip install 'lepbench[annotators]'"
        raise LepbenchError(f"the package {PACKAGE} is not installed", fix)
    shell = sys.modules.setdefault(SHELL, ModuleType(SHELL))
    shell.__path__ = list(spec.submodule_search_locations)
    try:
        return getattr(import_module(f"{SHELL}.{module}"), name)
    except (ImportError, AttributeError) as error:
        raise LepbenchError(
            f"{PACKAGE} has no {module}.{name} that can be imported: {error}",
            "install a version that has it: pip install 'lepbench[annotators]'",
        ) from error
