"""Tables with columns of every type: what can serve does, what cannot is refused before the build."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from picture_folders import jpeg, photograph

from lepbench.data.corpus import Original, Rejected
from lepbench.data.sources import Table
from lepbench.data.sources.cells import decode_text
from lepbench.errors import LepbenchError

PHOTOGRAPH = jpeg(photograph())
BASE64 = base64.b64encode(PHOTOGRAPH).decode()


def write(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def opened(path: Path, **settings: Any) -> list[tuple[bytes, str] | str]:
    """Picture and caption of each row, or the reason and its detail."""
    corpus = Table(path=str(path), **settings).open(64, None)
    found: list[tuple[bytes, str] | str] = []
    for number in range(corpus.count):
        try:
            got = corpus.entry(number).load()
            assert isinstance(got, Original)
            assert isinstance(got.picture, bytes)
            found.append((got.picture, got.caption))
        except Rejected as rejected:
            found.append(str(rejected))
    return found


STRUCT = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        (PHOTOGRAPH, pa.binary()),
        (PHOTOGRAPH, pa.large_binary()),
        (PHOTOGRAPH, pa.binary(len(PHOTOGRAPH))),
        (PHOTOGRAPH, pa.binary_view()),
        (BASE64, pa.string()),
        (BASE64, pa.large_string()),
        (BASE64, pa.string_view()),
        (BASE64, pa.dictionary(pa.int32(), pa.string())),
        (BASE64.encode(), pa.binary()),
        (f"data:image/jpeg;base64,{BASE64}", pa.string()),
        (f"data:image/jpeg;base64,{BASE64}".encode(), pa.binary()),
        ("near.jpg", pa.string()),
        ("near.jpg", pa.dictionary(pa.int8(), pa.string())),
        ({"bytes": PHOTOGRAPH, "path": None}, STRUCT),
        ({"bytes": PHOTOGRAPH, "path": "gone.jpg"}, STRUCT),
        ({"bytes": None, "path": "near.jpg"}, STRUCT),
        ({"bytes": BASE64, "path": "x"}, pa.struct([("bytes", pa.string()), ("path", pa.string())])),
        ({"path": "near.jpg"}, pa.struct([("path", pa.large_string())])),
    ],
)
def test_pictures_are_read_from_every_type_that_can_hold_them(
    tmp_path: Path, cell: Any, kind: pa.DataType
) -> None:
    (tmp_path / "near.jpg").write_bytes(PHOTOGRAPH)
    path = write(
        tmp_path / "a.parquet",
        image=pa.array([cell, None]).cast(kind)
        if pa.types.is_dictionary(kind)
        else pa.array([cell, None], kind),
        text=["a", "b"],
    )
    assert opened(path) == [(PHOTOGRAPH, "a"), "no picture"]


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("a boat", pa.string()),
        ("a boat", pa.large_string()),
        ("a boat", pa.string_view()),
        (b"\xef\xbb\xbfa boat", pa.binary()),
        (["a boat", "a ship"], pa.list_(pa.string())),
        (["a boat", "a ship"], pa.large_list(pa.large_string())),
        (["a boat", "a ship"], pa.list_(pa.string(), 2)),
    ],
)
def test_captions_are_read_from_every_type_that_can_hold_them(
    tmp_path: Path, cell: Any, kind: pa.DataType
) -> None:
    path = write(tmp_path / "a.parquet", image=[PHOTOGRAPH] * 2, text=pa.array([cell, None], kind))
    assert opened(path) == [(PHOTOGRAPH, "a boat"), "no caption"]
    categories = pa.array(["a boat", None]).dictionary_encode()
    assert opened(write(path, image=[PHOTOGRAPH] * 2, text=categories)) == [
        (PHOTOGRAPH, "a boat"),
        "no caption",
    ]


PIXELS = [[[0, 1], [2, 3]]]


@pytest.mark.parametrize(
    ("role", "cells", "message"),
    [
        ("image", [7], "column 'image' is int64 and cannot hold pictures"),
        ("image", [0.5], "column 'image' is double and cannot hold pictures"),
        ("image", [None], "column 'image' is null and cannot hold pictures"),
        ("image", PIXELS, r"column 'image' is list<.*list<.*int64.* and cannot hold pictures"),
        (
            "image",
            [[{"bytes": b"x", "path": None}]],
            r"column 'image' is list<.*struct<.* and cannot hold pictures",
        ),
        ("image", [{"width": 3}], r"column 'image' is struct<width: int64> and cannot hold pictures"),
        ("text", [7], "column 'text' is int64 and cannot hold captions"),
        ("text", [True], "column 'text' is bool and cannot hold captions"),
        ("text", [None], "column 'text' is null and cannot hold captions"),
        ("text", [[7]], r"column 'text' is list<.*int64> and cannot hold captions"),
        ("text", [{"en": "a"}], "column 'text' is struct<en: string> and cannot hold captions"),
        ("text", [[{"raw": "a"}]], r"column 'text' is list<.*struct<raw: string>> and cannot hold captions"),
    ],
)
def test_a_type_that_cannot_serve_is_one_line_before_the_build(
    tmp_path: Path, role: str, cells: list[Any], message: str
) -> None:
    columns: dict[str, Any] = {"image": [PHOTOGRAPH], "text": ["a"], "n": [1]} | {role: cells}
    others = r"name one of: text \(string\)" if role == "image" else r"name one of: image \(binary\)"
    path = write(tmp_path / "a.parquet", **columns)
    with pytest.raises(LepbenchError, match=f"a.parquet: {message}; {others}"):
        Table(path=str(path)).open(64, None)
    datasets.Dataset(pa.table(columns)).save_to_disk(str(tmp_path / "disk"))
    with pytest.raises(LepbenchError, match=message.replace("list<.*list<", ".*list<")):
        Table(path=str(tmp_path / "disk")).open(64, None)


def test_no_column_that_can_serve_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=[1], text=[2])
    with pytest.raises(LepbenchError, match="no column of it can"):
        Table(path=str(path)).open(64, None)


def test_each_file_of_a_folder_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "0.parquet", image=[PHOTOGRAPH], text=["a"])
    write(tmp_path / "1.parquet", image=[PHOTOGRAPH], text=[7])
    write(tmp_path / "._1.parquet", image=[1], text=[7])
    with pytest.raises(LepbenchError, match=r"1\.parquet: column 'text' is int64"):
        Table(path=str(tmp_path)).open(64, None)
    write(tmp_path / "1.parquet", image=[PHOTOGRAPH], text=["b"])
    assert [row[1] for row in opened(tmp_path)] == ["a", "b"]


def test_labels_are_named_as_datasets_names_them(tmp_path: Path) -> None:
    features = datasets.Features(
        {"image": datasets.Image(), "text": datasets.ClassLabel(names=["a cat", "a dog"])}
    )
    made = datasets.Dataset.from_dict({"image": [PHOTOGRAPH] * 4, "text": [1, 0, -1, None]}, features)
    made.to_parquet(tmp_path / "a.parquet")
    made.save_to_disk(tmp_path / "disk")
    label = features["text"]
    expected = [label.int2str(1), label.int2str(0)]
    for path in (tmp_path / "a.parquet", tmp_path / "disk"):
        found = opened(path)
        assert [row[1] for row in found[:2]] == expected
        assert found[2:] == ["no caption: label -1", "no caption: label None"]
    plain = pq.read_table(tmp_path / "a.parquet").replace_schema_metadata(None)
    pq.write_table(plain, tmp_path / "b.parquet")
    with pytest.raises(LepbenchError, match="column 'text' is int64 and cannot hold captions"):
        Table(path=str(tmp_path / "b.parquet")).open(64, None)
    broken = plain.replace_schema_metadata(
        {"huggingface": '{"info": {"features": {"text": {"_type": "Odd"}}}}'}
    )
    pq.write_table(broken, tmp_path / "b.parquet")
    with pytest.raises(LepbenchError, match="column 'text' is int64 and cannot hold captions"):
        Table(path=str(tmp_path / "b.parquet")).open(64, None)


def test_a_data_set_that_gives_tensors_is_read_as_it_is_stored(tmp_path: Path) -> None:
    made = datasets.Dataset.from_dict({"image": [PHOTOGRAPH], "text": ["a"]})
    made.cast_column("image", datasets.Image()).with_format("numpy").save_to_disk(tmp_path / "disk")
    assert opened(tmp_path / "disk") == [(PHOTOGRAPH, "a")]


def test_a_column_of_addresses_is_refused_and_a_single_one_is_a_reject(tmp_path: Path) -> None:
    addresses = [f"https://example.org/{n}.jpg" for n in range(3)]
    path = write(tmp_path / "a.parquet", URL=[None, *addresses], text=list("abcd"))
    with pytest.raises(LepbenchError, match=r"'URL' holds web addresses, such as https://\S+; .*img2dataset"):
        Table(path=str(path), image="URL").open(64, None)
    datasets.Dataset.from_parquet(str(path), cache_dir=str(tmp_path / "cache")).save_to_disk(
        tmp_path / "disk"
    )
    with pytest.raises(LepbenchError, match="holds web addresses"):
        Table(path=str(tmp_path / "disk"), image="URL").open(64, None)
    path = write(tmp_path / "a.parquet", image=[BASE64, addresses[0]], text=["a", "b"])
    assert opened(path) == [(PHOTOGRAPH, "a"), f"picture is at an address: {addresses[0]}"]


def test_names_of_files_may_be_written_otherwise(tmp_path: Path) -> None:
    (tmp_path / "caf\u00e9").mkdir()
    (tmp_path / "caf\u00e9" / "a.jpg").write_bytes(PHOTOGRAPH)
    path = write(tmp_path / "a.parquet", image=["cafe\u0301\\a.jpg"], text=["a"])
    assert opened(path) == [(PHOTOGRAPH, "a")]


LINES = "\n".join(BASE64[at : at + 76] for at in range(0, len(BASE64), 76))


@pytest.mark.parametrize(
    "text",
    [
        BASE64,
        BASE64.rstrip("="),
        LINES,
        f" {LINES}\n",
        base64.urlsafe_b64encode(PHOTOGRAPH).decode(),
        f"data:image/jpeg;base64,{BASE64}",
        f"DATA:image/jpeg;charset=x;BASE64,{LINES}",
        f"data:;base64,{BASE64.replace('+', '%2B').replace('=', '%3D')}",
    ],
)
def test_encoded_text_in_every_form_gives_the_same_bytes(text: str) -> None:
    assert decode_text(text) == PHOTOGRAPH


def test_a_data_url_may_be_without_base64() -> None:
    assert decode_text("data:image/svg+xml,%3Csvg%2F%3E") == b"<svg/>"


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "", "abcd", "images/train/000000000139", "0123456789abcdef" * 4, "/9j/" + "a" * 20, "data.jpg"],
)
def test_the_name_of_a_file_is_not_decoded(name: str) -> None:
    assert decode_text(name) is None


@pytest.mark.parametrize("text", [BASE64[:-3] + "*A==", BASE64 + "A", "data:image/png;base64,%%%"])
def test_damaged_base64_is_told_as_such(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.parquet", image=[text], text=["a"])
    assert opened(path) == ["picture cannot be decoded: damaged base64"]


def test_a_text_longer_than_any_name_is_no_path(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", image=[base64.b64encode(b"no picture" * 40).decode()], text=["a"])
    assert opened(path) == [(b"no picture" * 40, "a")]


def test_files_are_read_folder_by_folder_without_those_of_caches(tmp_path: Path) -> None:
    for name in ("a/0", "a-b/0", "c", ".cache/huggingface/0", "a/._0"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / f"{name}.parquet", image=[PHOTOGRAPH], text=[name])
    assert [row[1] for row in opened(tmp_path)] == ["a/0", "a-b/0", "c"]


def test_a_split_that_a_saved_data_set_lacks_is_named_beside_those_it_has(tmp_path: Path) -> None:
    rows = datasets.Dataset(pa.table({"image": [b""], "text": ["a"]}))
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(str(tmp_path / "disk"))
    with pytest.raises(LepbenchError, match=r"has no split 'validation'; choose one of: train, test"):
        Table(path=str(tmp_path / "disk"), split="validation").open(64, None)
