"""Captions of folders in the forms that people have them: columns, nested files, names, captions' files."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from picture_folders import jpeg, photograph

from lepbench.cli.build_data import command
from lepbench.data.corpus import Original, Rejected
from lepbench.data.metadata import CAPTION_COLUMNS, FILE_COLUMNS
from lepbench.data.sources import Folder
from lepbench.errors import LepbenchError

PHOTOGRAPH = jpeg(photograph())


def put(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


def outcomes(source: Folder) -> dict[str, str]:
    """Id -> caption, or the reason and its detail."""
    corpus, found = source.open(64, None), {}
    for number in range(corpus.count):
        entry = corpus.entry(number)
        try:
            got = entry.load()
            assert isinstance(got, Original)
            found[entry.id] = got.caption if got.licence is None else f"{got.caption} ({got.licence})"
        except Rejected as rejected:
            found[entry.id] = str(rejected)
    return found


@pytest.mark.parametrize("caption", [*CAPTION_COLUMNS, "Caption", " TEXT "])
@pytest.mark.parametrize("file", [FILE_COLUMNS[0], FILE_COLUMNS[3], "File Name"])
def test_columns_are_known_by_their_usual_names(tmp_path: Path, caption: str, file: str) -> None:
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "metadata.csv": f"more,{file},{caption}\n1,a.jpg,a boat\n"})
    assert outcomes(Folder(path=tmp_path)) == {"a.jpg": "a boat"}


def test_the_index_that_pandas_writes_is_neither_id_nor_licence(tmp_path: Path) -> None:
    pd.DataFrame({"file_name": ["a.jpg"], "text": ["a boat"]}).to_csv(tmp_path / "metadata.csv")
    put(tmp_path, {"a.jpg": PHOTOGRAPH})
    assert outcomes(Folder(path=tmp_path)) == {"a.jpg": "a boat"}


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        (
            'file_name,text\na.jpg,"a boat\nb.jpg,a fish\n',
            "a quotation mark opens a field and none closes it",
        ),
        ("file_name,text,text\na.jpg,a boat,a fish\n", "more than one column 'text'"),
    ],
)
def test_a_csv_that_would_lose_captions_is_refused(tmp_path: Path, table: str, fault: str) -> None:
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "b.jpg": PHOTOGRAPH, "metadata.csv": table})
    with pytest.raises(LepbenchError, match=fault):
        Folder(path=tmp_path).open(64, None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_captions_may_be_in_utf_16_with_its_mark(tmp_path: Path, encoding: str) -> None:
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    written: dict[str, str | bytes] = {
        "metadata.csv": f"{mark}file_name;text\na.jpg;ein Boot, grün\n".encode(encoding),
        "b.txt": f"{mark}zwei".encode(encoding),
        "c.txt": b"\xff\xfeodd",
    }
    put(tmp_path, written | {name: PHOTOGRAPH for name in ("a.jpg", "b.jpg", "c.jpg")})
    found = outcomes(Folder(path=tmp_path))
    assert found.pop("c.jpg").encode("utf-8", "surrogateescape") == written["c.txt"]
    assert found == {"a.jpg": "ein Boot, grün", "b.jpg": "zwei"}


@pytest.mark.parametrize(
    ("file", "source"), [("data/train-0.parquet", "table"), ("a.arrow", "table"), ("0.tar", "webdataset")]
)
def test_a_folder_of_another_source_names_it(tmp_path: Path, file: str, source: str) -> None:
    put(tmp_path, {file: b"", "README.md": ""})
    with pytest.raises(LepbenchError, match=f"holds no pictures; its .* 'lepbench build-data {source} --set"):
        Folder(path=tmp_path).open(64, None)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_may_be_delimited_as_spreadsheets_do(tmp_path: Path, delimiter: str) -> None:
    table = f"\ufefffile_name{delimiter}prompt\na.jpg{delimiter}a boat\n"
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "metadata.csv": table})
    assert outcomes(Folder(path=tmp_path)) == {"a.jpg": "a boat"}


def test_a_line_may_have_columns_of_its_own_and_lists(tmp_path: Path) -> None:
    rows = lines(
        {"file_name": "a.jpg", "caption": "a"},
        {"image": "a.jpg", "prompt": "b"},
        {"file_name": "a.jpg", "text": None, "caption": "c"},
        {"file_name": "a.jpg", "text": " ", "caption": "d"},
        {"file_name": "a.jpg", "captions": ["e", "f"]},
        {"file_name": "a.jpg", "blip": "g"},
        {"file_name": "a.jpg", "text": 8},
    )
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "metadata.jsonl": rows})
    assert list(outcomes(Folder(path=tmp_path)).values()) == [
        *"abcde",
        "malformed metadata row: no string 'text' among file_name, blip",
        "malformed metadata row: no string 'text' among file_name, text",
    ]


def test_settings_choose_columns_as_those_of_a_table_do(tmp_path: Path) -> None:
    rows = [{"file_name": "a.jpg", "text": "no", "blip": "yes", "other": "b.jpg", "n": 7, "terms": "CC0"}]
    chosen: dict[str, Any] = {"image": "other", "text": "blip", "id": "n", "licence_column": "terms"}
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "a.txt": "beside", "b.jpg": PHOTOGRAPH})
    for name, content in (
        ("metadata.jsonl", lines(*rows)),
        ("metadata.csv", "\n".join(",".join(map(str, row)) for row in (rows[0].keys(), rows[0].values()))),
        ("metadata.parquet", ""),
    ):
        put(tmp_path, {name: content})
        if not content:
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
        assert outcomes(Folder(path=tmp_path, **chosen)) == {"7": "yes (CC0)", "a.jpg": "beside"}
        first, second = (Folder(path=tmp_path, **some).open(64, None).recipe() for some in (chosen, {}))
        assert first != second
        (tmp_path / name).unlink()


def test_a_chosen_column_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "metadata.csv": "file_name,text\na.jpg,a\n"})
    for setting in ("image", "text", "id", "licence_column"):
        with pytest.raises(
            LepbenchError, match="no column 'blip'; it has file_name, text; check the settings"
        ):
            Folder(path=tmp_path, **{setting: "blip"}).open(64, None)


def test_lines_without_a_known_column_are_refused_as_a_csv_is(tmp_path: Path) -> None:
    put(tmp_path, {"a.jpg": PHOTOGRAPH, "metadata.jsonl": lines({"file_name": "a.jpg", "blip": "a boat"})})
    with pytest.raises(
        LepbenchError, match=r"no column 'text'; it has file_name, blip; choose .*text=COLUMN"
    ):
        Folder(path=tmp_path).open(64, None)
    with pytest.raises(LepbenchError, match="no column 'blop'; it has file_name, blip; check the settings"):
        Folder(path=tmp_path, text="blop").open(64, None)
    assert outcomes(Folder(path=tmp_path, text="blip")) == {"a.jpg": "a boat"}
    put(tmp_path, {"metadata.jsonl": lines({"picture": "a.jpg", "text": "a boat"})})
    with pytest.raises(LepbenchError, match=r"no column 'file_name'; it has picture, text; .*image=COLUMN"):
        Folder(path=tmp_path).open(64, None)


def test_metadata_below_the_root_names_files_of_its_folder_as_datasets_has_it(tmp_path: Path) -> None:
    folder = put(
        tmp_path / "set",
        {
            "train/cats/1.jpg": PHOTOGRAPH,
            "train/cats/deep/2.jpg": PHOTOGRAPH,
            "train/dogs/1.jpg": PHOTOGRAPH,
            "train/cats/metadata.jsonl": lines(
                {"file_name": "1.jpg", "text": "a cat"}, {"file_name": "deep/2.jpg", "text": "two"}
            ),
            "train/dogs/metadata.jsonl": lines({"file_name": "1.jpg", "text": "a dog"}),
        },
    )
    theirs = datasets.load_dataset(
        "imagefolder", data_dir=str(folder), split="train", cache_dir=str(tmp_path / "cache")
    ).cast_column("image", datasets.Image(decode=False))
    expected = {
        Path(row["image"]["path"]).relative_to(folder.resolve()).as_posix(): row["text"] for row in theirs
    }
    assert len(expected) == 3
    assert outcomes(Folder(path=folder)) == expected


def test_metadata_may_lie_in_several_folders(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "a.jpg": PHOTOGRAPH,
            "metadata.csv": "file_name,text\na.jpg,root\n../b.jpg,out\n",
            "sub/a.jpg": PHOTOGRAPH,
            "sub/metadata.jsonl": lines(
                {"file_name": "a.jpg", "text": "sub"},
                {"file_name": "../a.jpg", "text": "up"},
                {"file_name": "/a.jpg", "text": "absolute"},
                {"text": "of none"},
            ),
            ".hidden/metadata.jsonl": "oops",
        },
    )
    outside = "path leaves the folder"
    assert outcomes(Folder(path=tmp_path)) == {
        "a.jpg": "root",
        "../b.jpg": f"{outside}: ../b.jpg",
        "sub/a.jpg": "sub",
        "sub/../a.jpg": f"{outside}: sub/../a.jpg",
        "/a.jpg": f"{outside}: /a.jpg",
        "sub/metadata line 4": "malformed metadata row: no string 'file_name' among text",
    }
    put(tmp_path, {"sub/metadata.csv": "file_name,text\n"})
    with pytest.raises(LepbenchError, match=r"sub/metadata\.\w+ and sub/metadata\.\w+; keep one"):
        Folder(path=tmp_path).open(64, None)


COMPOSED, APART = "caf\u00e9", unicodedata.normalize("NFD", "caf\u00e9")


@pytest.mark.parametrize(("on_disk", "told"), [(COMPOSED, APART), (APART, COMPOSED)])
def test_names_may_be_composed_or_not_and_have_backslashes(tmp_path: Path, on_disk: str, told: str) -> None:
    put(
        tmp_path,
        {
            f"{on_disk}/{on_disk}.jpg": PHOTOGRAPH,
            "metadata.jsonl": lines({"file_name": f".\\{told}\\{told}.jpg", "text": "named"}),
            f"{on_disk}/b{on_disk}.jpg": PHOTOGRAPH,
            f"{on_disk}/b{told}.txt": "beside",
            f"{on_disk}/c{on_disk}.jpg": PHOTOGRAPH,
            f"{on_disk}/c{told}.jpg.txt": "behind",
        },
    )
    assert outcomes(Folder(path=tmp_path)) == {
        f".\\{told}\\{told}.jpg": "named",
        f"{on_disk}/b{on_disk}.jpg": "beside",
        f"{on_disk}/c{on_disk}.jpg": "behind",
    }


def test_a_file_whose_own_name_has_a_backslash_is_found_first(tmp_path: Path) -> None:
    put(tmp_path, {"sub\\a.jpg": b"wrong", "sub/a.jpg": PHOTOGRAPH})
    (tmp_path / "sub\\a.jpg").write_bytes(PHOTOGRAPH[:-2])
    put(tmp_path, {"metadata.jsonl": lines({"file_name": "sub\\a.jpg", "text": "a"})})
    corpus = Folder(path=tmp_path).open(64, 1)
    assert corpus.entry(0).load().picture == PHOTOGRAPH[:-2]


@pytest.mark.parametrize("name", ["a.txt", "a.TXT", "a.jpg.txt", "a.caption", "a.jpg.caption"])
def test_captions_files_have_several_names(tmp_path: Path, name: str) -> None:
    put(tmp_path, {"a.jpg": PHOTOGRAPH, name: "a boat"})
    before = Folder(path=tmp_path).open(64, None).recipe()
    assert outcomes(Folder(path=tmp_path)) == {"a.jpg": "a boat"}
    put(tmp_path, {name: "a ship"})
    assert Folder(path=tmp_path).open(64, None).recipe() != before


def test_of_several_captions_files_the_order_of_the_documentation_decides(tmp_path: Path) -> None:
    names = ["a.txt", "a.jpg.txt", "a.TXT", "a.jpg.TXT", "a.caption", "a.jpg.caption"]
    put(tmp_path, {"a.jpg": PHOTOGRAPH} | {name: name for name in names})
    for name in names:
        assert outcomes(Folder(path=tmp_path)) == {"a.jpg": name}
        (tmp_path / name).unlink()


def run(*arguments: object) -> Any:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def test_files_that_may_hold_captions_are_named_where_few_have_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos: dict[str, str | bytes] = {f"{n}.jpg": jpeg(photograph().rotate(n)) for n in range(5)}
    others: dict[str, str | bytes] = {
        "captions.json": "{}",
        "labels.csv": "",
        "sub/a.xlsx": b"",
        ".b.json": "",
    }
    folder = put(tmp_path / "photos", photos | others | {"0.txt": "one"})
    said = "not read: captions.json, labels.csv, sub/a.xlsx; captions come from metadata.jsonl, metadata.csv"
    built = run(folder, "--out", tmp_path / "out", "--json")
    assert built.exit_code == 0
    assert json.loads(built.stdout)["written"] == 1
    assert said in built.stderr
    assert said in run(folder, "--dry-run", "--out", tmp_path / "look").stderr
    (folder / "0.txt").unlink()
    put(folder, {"story.txt": "once"})
    monkeypatch.chdir(tmp_path)
    refused = run(folder, "--out", "none").exception
    assert isinstance(refused, LepbenchError)
    assert "no caption (5), such as: no 0.txt; see" in str(refused)
    assert "; not read: captions.json, labels.csv, story.txt and 1 more; captions come" in str(refused)
    for number in range(5):
        put(folder, {f"{number}.txt": "one"})
    assert "not read" not in run(folder, "--out", tmp_path / "all").stderr
