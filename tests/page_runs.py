"""A finished run, another, and boards that pages are made of."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pytest
from forged_run import edit, forge, reckon
from site_maker import make_boards

from lepbench.evaluation.record import read_record
from lepbench.publishing.pages.report_runs import ReportedRun
from lepbench.publishing.pages.site import write_site
from lepbench.suites import Item, Suite

HOSTILE = '<img src=x onerror="document.title=1">'


class HostileSuite(Suite):
    """A suite whose first prompt is a tag."""

    def __getitem__(self, index: int | str | slice) -> Item | Sequence[Item]:  # type: ignore[override]
        from dataclasses import replace

        found = super().__getitem__(index)
        return (
            replace(found, prompt=HOSTILE) if isinstance(found, Item) and index == self.item_ids[0] else found
        )


@pytest.fixture(scope="session")
def run(finished: Path, tiny_suite: Suite) -> ReportedRun:
    """A finished run of ten items, the first of them with a prompt that is a tag."""
    return ReportedRun(finished, read_record(finished), HostileSuite(tiny_suite.folder))


@pytest.fixture(scope="session")
def other(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run under another name, whose model has half as many edges on the sketch at 1 px."""

    def halve(table: pa.Table) -> pa.Table:
        name = "edge_matched_predicted_1px"
        pairs = zip(table["row"].to_pylist(), table[name].to_pylist(), strict=True)
        halved = [value // 2 if row == "model" else value for row, value in pairs]
        place = table.schema.get_field_index(name)
        return table.set_column(place, table.schema.field(place), pa.array(halved, pa.int32()))

    folder = Path(shutil.copytree(finished, tmp_path_factory.mktemp("other") / "other"))
    edit(folder, lambda document: document["identity"]["model"].update(name="other"))
    forge(folder, halve)
    reckon(folder)
    return folder


@pytest.fixture(scope="session")
def boards(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of two hundred models; the finished run is one of them."""
    return make_boards(tmp_path_factory.mktemp("boards"), read_record(finished), 200)


@pytest.fixture
def copy_of_run(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to be changed."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


@pytest.fixture(scope="session")
def made(
    boards: Path, finished: Path, other: Path, tiny_suite: Suite, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The site of a board of two hundred models, with a run of one of them and a run of none."""
    out = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        for module in ("site", "site_pictures"):
            patch.setattr(f"lepbench.publishing.pages.{module}.find_suite", lambda record, folder: tiny_suite)
        assert write_site(boards, out, [finished, other]) == [other]
    return out
