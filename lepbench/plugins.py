"""Code from outside: packages that announce plug-ins, and modules named on the command line.

A package announces a module by an entry point of the group `lepbench.plugins`; a script is named by
`--import` or `$LEPBENCH_IMPORT`. Importing the module fills the registries.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

from lepbench.errors import LepbenchError
from lepbench.submitted import describe_error
from lepbench.trust import require_trust

GROUP = "lepbench.plugins"
"""The group of entry points."""
IMPORT = "LEPBENCH_IMPORT"
"""The variable that names modules or files to import, separated as in `PATH`."""
OPTION = "--import"


class Plugin(NamedTuple):
    """A module that an installed package announces; `error` says why it could not be imported."""

    name: str
    module: str
    package: str
    error: str


_announced: list[Plugin] = []
_asked = False
_imported: set[str] = set()
"""What `--import` and the variable named and was imported."""


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
        _announced.extend(read_points(distributions()))
    for module in list_named():
        if module not in _imported:
            import_plugin(module, f"${IMPORT}")
            _imported.add(module)
    return _announced


def list_named() -> list[str]:
    """The modules and files that `$LEPBENCH_IMPORT` names."""
    return [name for name in os.environ.get(IMPORT, "").split(os.pathsep) if name]


def describe_failures() -> str:
    """A clause on every announced module that could not be imported; empty where there is none."""
    return "; ".join(
        f"plug-in {plugin.name!r} of {plugin.package} failed on import: {plugin.error}"
        for plugin in _announced
        if plugin.error
    )


def import_plugin(name: str, asker: str = OPTION) -> ModuleType:
    """Import a module by its dotted name, or a Python file by its path, once it is trusted.

    A module is looked for in the working folder too, after all other places.

    Args:
        asker: what named it, for the message.

    Raises:
        LepbenchError: it is not there, is not trusted, or raises on import.
    """
    path = Path(name)
    if path.suffix == ".py":
        return _import_file(path, asker)
    _make_importable(Path.cwd())
    files = find_sources(name)
    require_trust(asker, files)
    return _import(name, files)


def remember_import(name: str) -> None:
    """Import a module, and have processes that this one starts import it too."""
    import_plugin(name)
    _imported.add(name)
    if name not in list_named():
        os.environ[IMPORT] = os.pathsep.join([*list_named(), name])


def find_sources(module: str) -> list[Path]:
    """The files that importing a module runs, its packages' first; nothing is run to find them.

    Raises:
        LepbenchError: there is no such module, or it is no Python source.
    """
    importlib.invalidate_caches()
    found: list[Path] = []
    places: Sequence[str] | None = None
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        name = ".".join(parts[:end])
        spec = _find_spec(name, places) if all(parts) else None
        if spec is None:
            raise LepbenchError(f"no module {name!r}", "check its name, or give a path that ends in .py")
        if spec.origin is not None:
            found.append(Path(spec.origin))
        locations = spec.submodule_search_locations
        # That of a package without __init__.py asks for the package above it, which is not imported yet.
        places = list(getattr(locations, "_path", locations) or ())
    if spec is None or spec.origin is None or found[-1].suffix != ".py":
        raise LepbenchError(f"module {module!r} is no Python source file", "give one that is")
    return found


def _find_spec(name: str, places: Sequence[str] | None) -> ModuleSpec | None:
    """As `importlib.util.find_spec`, which would import the packages above it."""
    others = (finder for finder in sys.meta_path if finder is not _finder)
    finders = (getattr(finder, "find_spec", None) for finder in others)
    specs = (find(name, places) for find in finders if find is not None)
    return next((spec for spec in specs if spec is not None), None)


def read_points(packages: Iterable[Distribution]) -> list[Plugin]:
    """Import what packages announce; of several of one name the first that announces something counts.

    A package whose metadata cannot be read is one that fails.
    """
    found: list[Plugin] = []
    seen: set[str] = set()
    for package in packages:
        label = "an unknown package"
        try:
            # Most announce nothing to us: the rest of their metadata need not be read.
            if GROUP not in (package.read_text("entry_points.txt") or ""):
                continue
            name, label = package.name, f"{package.name} {package.version}"
            points = [] if name in seen else list(package.entry_points.select(group=GROUP))
            seen.add(name)
        except Exception as error:  # whatever its files hold
            found.append(Plugin(GROUP, "", label, describe_error(error)))
            continue
        found.extend(_load(point, label) for point in points)
    return found


def _load(point: EntryPoint, package: str) -> Plugin:
    try:
        point.load()
    except (Exception, SystemExit) as error:  # whatever its author left in it
        return Plugin(point.name, point.value, package, describe_error(error))
    return Plugin(point.name, point.value, package, "")


def _import_file(path: Path, asker: str) -> ModuleType:
    if not path.is_file():
        raise LepbenchError(f"no such file: {path}", "check the path")
    if "." in path.stem:
        raise LepbenchError(f"{path} cannot be imported", "rename it, without a dot before .py")
    require_trust(asker, [path])
    # Processes that unpickle what the module defines look for it by its name.
    _make_importable(path.parent)
    loaded, spec = sys.modules.get(path.stem), _find_spec(path.stem, None)
    origin = spec.origin if loaded is None and spec is not None else getattr(loaded, "__file__", None)
    if origin is None or Path(origin).resolve() != path.resolve():
        raise LepbenchError(f"{path} has the name of another module", "rename the file")
    return _import(path.stem, [path])


class SourceLoader(SourceFileLoader):
    """Compiles a module's source whenever it is imported: what is trusted is that, and no cached bytecode."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


class SourceFinder(MetaPathFinder):
    """Finds the modules that were trusted, by their files."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        file = self.files.get(name)
        if file is None:
            return None
        within = [str(file.parent)] if file.name == "__init__.py" else None
        loader = SourceLoader(name, str(file))
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=within)


_finder = SourceFinder()


def _import(name: str, files: Sequence[Path]) -> ModuleType:
    path = files[-1]
    parts = name.split(".")
    names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    # A package without __init__.py runs no file.
    _finder.files |= zip(reversed(names), (file.absolute() for file in reversed(files)), strict=False)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:  # whatever its author left in it
        said = describe_error(error, (str(path), str(path.absolute())))
        raise LepbenchError(f"{path} failed on import: {said}", "correct it") from error


def _make_importable(folder: Path) -> None:
    """Put a folder at the end of the path, where it hides no other module; it stays for what is pickled."""
    importlib.invalidate_caches()
    if str(folder.absolute()) not in sys.path:
        sys.path.append(str(folder.absolute()))
