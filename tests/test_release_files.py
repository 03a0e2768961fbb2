"""What a release says of itself agrees: versions, supported Pythons, the citation's names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

import lepbench

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
HEADING = re.compile(r"^## (?:\[?)(\d+\.\d+\.\d+)", re.M)


def test_every_file_names_one_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    released = HEADING.search((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert released
    assert {PROJECT["version"], citation["version"], released[1]} == {lepbench.__version__}


def test_every_python_that_is_named_has_an_environment() -> None:
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert f">={named[0]}" == PROJECT["requires-python"]
    factors = ",".join(version.replace(".", "") for version in named)
    assert f"[testenv:py{{{factors}}}]" in (ROOT / "tox.ini").read_text(encoding="utf-8")


def test_every_dependency_is_asked_of_supported_pythons_alone() -> None:
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert all(one.endswith(f"; python_version >= '{oldest}'") for one in PROJECT["dependencies"])


def test_each_release_begins_with_formats_hashes_and_numbers() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    _, *releases = re.split(r"^## ", text, flags=re.M)
    assert releases[0].startswith("Unreleased")
    for release in releases:
        headings = re.findall(r"^### (.*)$", release, re.M)
        assert headings[0] == "Formats, hashes and numbers", release.splitlines()[0]
