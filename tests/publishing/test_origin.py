"""A board calls a backbone by what can be checked of it, and says whose word the rest is."""

from __future__ import annotations

from pathlib import Path

import pytest
from forged_run import finished

from lepbench.errors import LepbenchError
from lepbench.evaluation.record import Record, read_record
from lepbench.publishing.leaderboard import make_line
from lepbench.publishing.origin import describe_checked_origin, describe_origin, name_backbone

__all__ = ["finished"]


def rename(record: Record, backbone: str) -> Record:
    model = record.identity.model.model_copy(update={"backbone": backbone})
    return record.model_copy(update={"identity": record.identity.model_copy(update={"model": model})})


@pytest.mark.parametrize(
    ("backbone", "called"),
    [
        ("mini@1", "mini@1"),
        ("stabilityai/sd-turbo", "stabilityai/sd-turbo"),
        ("/home/me/models/sd15/", "./sd15"),
        ("../models/sd15", "./sd15"),
        ("C:\\models\\sd15", "./sd15"),
    ],
)
def test_a_folder_is_called_by_its_last_part(finished: Path, backbone: str, called: str) -> None:
    record = rename(read_record(finished), backbone)
    assert name_backbone(record) == called
    unchecked = [] if called == "mini@1" else ["the backbone by the submitter's word"]
    for level in ("self-reported", "verified"):
        said = "; ".join([f"figures on {called}", *unchecked])
        assert describe_checked_origin(record, level) == make_line(record, level)["label"] == said
    assert describe_checked_origin(record, "redrawn") == f"figures on {called}"
    assert describe_origin(record) == f"figures on {backbone}"


@pytest.mark.parametrize("backbone", ["x/mini@1", "../..", "mini\uff201", "my models/sd 15", "..", "sd/<b>"])
def test_what_looks_like_another_name_is_none(finished: Path, backbone: str) -> None:
    with pytest.raises(LepbenchError, match="is no embedded name, hub id or folder of a plain name"):
        name_backbone(rename(read_record(finished), backbone))
