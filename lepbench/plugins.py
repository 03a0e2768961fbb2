"""Code from outside: packages that announce plug-ins, modules named on the command line, and their hashes.

A package announces a module by an entry point of the group `lepbench.plugins`; a script is named by
`--import` or `$LEPBENCH_IMPORT`. Importing the module fills the registries.
"""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from lepbench.errors import LepbenchError
from lepbench.files import sha256_bytes, sha256_file
from lepbench.trust import require_trust

GROUP = "lepbench.plugins"
"""The group of entry points."""
IMPORT = "LEPBENCH_IMPORT"
"""The variable that names modules or files to import, separated by white space."""
OURS = __name__.partition(".")[0]
CODE = "code/"
"""What the names of hashes of submitted code begin with."""


class Plugin(NamedTuple):
    """A module from outside that was imported, or why it could not be."""

    name: str
    module: str
    package: str
    error: str


_announced: list[Plugin] = []
_asked = False


def load_plugins() -> list[Plugin]:
    """Import what packages announce and `$LEPBENCH_IMPORT` names, once a process.

    A package whose module fails is kept with its error: it spoils nothing but what it would have added.

    Raises:
        LepbenchError: a module that the variable names cannot be imported.
    """
    global _asked
    if not _asked:
        # Before anything is imported: a plug-in that asks a registry itself must not begin anew.
        _asked = True
        _announced.extend(_load(point) for point in entry_points(group=GROUP))
        for module in os.environ.get(IMPORT, "").split():
            import_plugin(module)
    return _announced


def describe_failures() -> str:
    """A clause on every announced module that could not be imported; empty where there is none."""
    return "; ".join(
        f"plug-in {plugin.name!r} of {plugin.package} failed on import: {plugin.error}"
        for plugin in _announced
        if plugin.error
    )


def import_plugin(name: str) -> ModuleType:
    """Import a module by its dotted name, or a Python file by its path, once it is trusted.

    The module is looked for in the working folder too.

    Raises:
        LepbenchError: it is not there, is not trusted, or raises on import.
    """
    path = Path(name)
    if path.suffix == ".py":
        return _import_file(path)
    files = find_sources(name)
    require_trust(name, files)
    _make_importable(Path.cwd())
    return _import(name, files[-1])


def remember_import(name: str) -> None:
    """Import a module, and have processes that this one starts import it too."""
    import_plugin(name)
    named = os.environ.get(IMPORT, "").split()
    if name not in named:
        os.environ[IMPORT] = " ".join([*named, name])


def find_sources(module: str) -> list[Path]:
    """The files that importing a module runs, its packages' first; nothing is run to find them.

    Raises:
        LepbenchError: there is no such module, or it is no Python source.
    """
    found: list[Path] = []
    places: list[str] | None = [str(Path.cwd()), *sys.path]
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        spec = PathFinder.find_spec(name, places)
        if spec is None or (spec.origin is None and spec.submodule_search_locations is None):
            raise LepbenchError(f"no module {name!r}", "check its name, or give a path that ends in .py")
        if spec.origin is not None:
            found.append(Path(spec.origin))
        places = list(spec.submodule_search_locations or ())
    if not found or found[-1].suffix != ".py":
        raise LepbenchError(f"module {module!r} is no Python source file", "give one that is")
    return found


def hash_code(thing: Any) -> dict[str, str]:
    """SHA-256 of the source file of a class or function from outside, by `code/MODULE`; empty for ours.

    What has no file, as in a notebook, is hashed by its own source where Python knows it.
    """
    module = inspect.getmodule(thing)
    name = getattr(thing, "__module__", None) or type(thing).__module__
    if name.partition(".")[0] == OURS:
        return {}
    file = getattr(module, "__file__", None)
    if file is not None and Path(file).suffix == ".py":
        return {f"{CODE}{name}": sha256_file(Path(file))}
    return {f"{CODE}{name}": _hash_source(thing)}


def _hash_source(thing: Any) -> str:
    try:
        return sha256_bytes(inspect.getsource(thing).encode())
    except (OSError, TypeError):
        return "unknown"


def _load(point: EntryPoint) -> Plugin:
    package = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown package"
    try:
        point.load()
    except (Exception, SystemExit) as error:  # whatever its author left in it
        return Plugin(point.name, point.value, package, _describe(error))
    return Plugin(point.name, point.value, package, "")


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise LepbenchError(f"no such file: {path}", "check the path")
    require_trust(str(path), [path])
    loaded = sys.modules.get(path.stem)
    if loaded is not None and not _is_at(loaded, path):
        raise LepbenchError(f"{path} has the name of another module", "rename the file")
    _make_importable(path.parent)
    return _import(path.stem, path)


def _import(name: str, path: Path) -> ModuleType:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # whatever its author left in it
        raise LepbenchError(f"{path} failed on import: {_describe(error)}", "correct it") from error


def _make_importable(folder: Path) -> None:
    """Put a folder on the path; it stays, for processes that unpickle what its modules define."""
    if str(folder.absolute()) not in sys.path:
        sys.path.insert(0, str(folder.absolute()))


def _is_at(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path.resolve()


def _describe(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def iterate_code(weights: dict[str, str]) -> Iterator[str]:
    """The modules among the names of a record's hashes."""
    return (name.removeprefix(CODE) for name in weights if name.startswith(CODE))
