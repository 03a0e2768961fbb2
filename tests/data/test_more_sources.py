"""COCO, tables and WebDataset archives, against plain readers: what comes of them, what is turned away."""

from __future__ import annotations

import json
import pickle
import tarfile
import tracemalloc
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_folders import jpeg, photograph, write_tar

from lepbench.data.build import build_triplets
from lepbench.data.config import BuildConfig
from lepbench.data.corpus import Corpus, Original, Rejected
from lepbench.data.sources import Coco, Folder, Sketchworld, Source, Table, WebDataset, select_source
from lepbench.data.sources.table import list_hub_files
from lepbench.errors import LepbenchError
from lepbench.files import is_hidden

PHOTOGRAPH = jpeg(photograph())
OTHER = jpeg(photograph().rotate(90))


def outcomes(corpus: Corpus) -> dict[str, Original | tuple[str, str]]:
    """Id -> what is loaded, or reason and detail."""
    found: dict[str, Original | tuple[str, str]] = {}
    for number in range(corpus.count):
        entry = corpus.entry(number)
        assert entry.id not in found
        try:
            found[entry.id] = entry.load()
        except Rejected as rejected:
            found[entry.id] = (str(rejected.reason), rejected.detail)
    return found


def captions(corpus: Corpus) -> dict[str, str]:
    """Id -> caption, or the reason why there is none."""
    found = outcomes(corpus)
    return {name: got.caption if isinstance(got, Original) else got[0] for name, got in found.items()}


# COCO


def coco_files(folder: Path, **changes: Any) -> Path:
    """Three pictures, one without caption, one whose file is missing, and a caption of no picture."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "images" / "1.jpg").write_bytes(PHOTOGRAPH)
    (folder / "images" / "2.jpg").write_bytes(OTHER)
    told = {
        "info": {"year": 2017},
        "licenses": [{"id": 4, "name": "Attribution License", "url": "x"}],
        "images": [
            {"id": 2, "file_name": "2.jpg", "license": 4, "height": 1},
            {"id": 1, "file_name": "1.jpg"},
            {"id": 3, "file_name": "3.jpg"},
            {"id": 4, "file_name": "../out.jpg"},
        ],
        "annotations": [
            {"id": 9, "image_id": 1, "caption": "b\n"},
            {"id": 5, "image_id": 1, "caption": "a longer one"},
            {"id": 6, "image_id": 3, "caption": "gone"},
            {"id": 7, "image_id": 77, "caption": "of nothing"},
            {"id": 8, "image_id": 4, "caption": "climbs"},
        ],
    } | changes
    path = folder / "captions_tiny.json"
    path.write_text(json.dumps(told))
    return path


def test_coco_gives_each_caption_a_triplet_and_loses_nothing(tmp_path: Path) -> None:
    source = Coco(annotations=coco_files(tmp_path), images=tmp_path / "images")
    found = outcomes(source.open(64, None))
    assert found == {
        "1.jpg": Original(PHOTOGRAPH, "a longer one", None),
        "1.jpg#2": Original(PHOTOGRAPH, "b\n", None),
        "2.jpg": ("no caption", ""),
        "3.jpg": ("missing file", "3.jpg"),
        "../out.jpg": ("path leaves the folder", "../out.jpg"),
        "annotation 7": ("malformed metadata row", "a caption of a picture that is not listed"),
    }


@pytest.mark.parametrize(("which", "text"), [("first", "a longer one"), ("longest", "a longer one")])
def test_coco_may_give_one_caption(tmp_path: Path, which: Any, text: str) -> None:
    source = Coco(annotations=coco_files(tmp_path), images=tmp_path / "images", captions=which)
    found = captions(source.open(64, None))
    assert found["1.jpg"] == text
    assert "1.jpg#2" not in found


def test_coco_licences_go_into_the_rows(tmp_path: Path) -> None:
    annotations = [{"id": 1, "image_id": 2, "caption": "two"}, {"id": 2, "image_id": 1, "caption": "one"}]
    source = {
        "name": "coco",
        "annotations": coco_files(tmp_path, annotations=annotations),
        "images": tmp_path / "images",
        "licence": "CC-BY-4.0",
    }
    build_triplets(BuildConfig.model_validate({"source": source, "size": 32}), tmp_path / "out")
    (shard,) = (tmp_path / "out" / "data").iterdir()
    rows = pq.read_table(shard, columns=["id", "licence"]).to_pylist()
    assert [(row["id"], row["licence"]) for row in rows] == [
        ("1.jpg", "CC-BY-4.0"),
        ("2.jpg", "Attribution License"),
    ]


def test_a_caption_that_is_no_text_spoils_nothing_else(tmp_path: Path) -> None:
    told: list[Any] = [None, "one", 7, "a longer one", "\ud800"]
    annotations = [{"id": n, "image_id": 1, "caption": caption} for n, caption in enumerate(told)]
    annotations += [{"id": 9, "image_id": 2, "caption": None}, {"id": 10, "image_id": 77, "caption": None}]
    images = [
        {"id": 1, "file_name": "1.jpg"},
        {"id": 2, "file_name": "2.jpg"},
        {"id": 3, "file_name": "\ud800"},
    ]
    path = coco_files(tmp_path, annotations=annotations, images=images)
    found = {
        which: captions(Coco(annotations=path, images=tmp_path / "images", captions=which).open(64, None))
        for which in ("all", "first", "longest")
    }
    rest = {"2.jpg": "no caption", "\\ud800": "no caption", "annotation 10": "malformed metadata row"}
    every = ["no caption", "one", "no caption", "a longer one", "\ud800"]
    names = ["1.jpg", *(f"1.jpg#{n}" for n in range(2, 6))]
    assert found["all"] == dict(zip(names, every, strict=True)) | rest
    assert found["first"] == {"1.jpg": "one"} | rest
    assert found["longest"] == {"1.jpg": "a longer one"} | rest


def test_a_licence_may_have_the_number_zero(tmp_path: Path) -> None:
    path = coco_files(
        tmp_path,
        images=[{"id": 1, "file_name": "1.jpg", "license": 0}, {"id": 2, "file_name": "2.jpg"}],
        annotations=[{"id": n, "image_id": n, "caption": "a"} for n in (1, 2)],
        licenses=[{"id": 0, "name": "CC0"}, {"id": -1, "name": "none"}],
    )
    found = outcomes(Coco(annotations=path, images=tmp_path / "images").open(64, None))
    assert [got.licence for got in found.values() if isinstance(got, Original)] == ["CC0", None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"images": []}', "has no list 'annotations'; give a captions_"),
        ('[{"image_id": 1, "caption": "a"}]', "is a list, such as results have"),
        ('{"annotations": []}', "has no list 'images'"),
        ('{"images": [{"filename": "a", "sentences": []}], "dataset": "coco"}', "is a Karpathy split"),
        ('{"images": [], "annotations": [{"bbox": [], "image_id": 1}]}', "no caption among them"),
        ('{"images": [], "annotations": []}', "names no pictures"),
        ("\udcff", "is not valid JSON"),
    ],
)
def test_annotations_that_are_none_are_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(LepbenchError, match=message):
        Coco(annotations=path, images=tmp_path).open(64, None)


# Tables


def parquet(path: Path, **columns: list[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return path


def test_a_parquet_of_datasets_gives_what_datasets_gives(tmp_path: Path) -> None:
    made = datasets.Dataset.from_dict(
        {"picture": [PHOTOGRAPH, OTHER] * 5, "words": [f"caption {n}" for n in range(10)], "other": range(10)}
    ).cast_column("picture", datasets.Image())
    for number in range(2):
        made.shard(2, number, contiguous=True).to_parquet(
            tmp_path / "set" / f"{number}.parquet", batch_size=3
        )
    theirs = datasets.load_dataset(
        "parquet",
        data_files=str(tmp_path / "set" / "*.parquet"),
        split="train",
        cache_dir=str(tmp_path / "cache"),
    ).cast_column("picture", datasets.Image(decode=False))
    source = Table(path=str(tmp_path / "set"), image="picture", text="words")
    found = list(outcomes(source.open(64, None)).values())
    assert found == [Original(row["picture"]["bytes"], row["words"]) for row in theirs]
    made.save_to_disk(tmp_path / "disk")
    from_disk = Table(path=str(tmp_path / "disk"), image="picture", text="words")
    assert list(outcomes(from_disk.open(64, None)).values()) == found
    (arrow,) = (tmp_path / "disk").glob("*.arrow")
    from_file = Table(path=str(arrow), image="picture", text="words")
    assert list(outcomes(from_file.open(64, None)).values()) == found


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.integers(0, 9), min_size=1, max_size=4), data=st.data())
def test_any_row_of_any_row_groups_is_found(
    tmp_path_factory: pytest.TempPathFactory, rows: list[int], data: st.DataObject
) -> None:
    folder, expected = tmp_path_factory.mktemp("groups"), []
    for number, count in enumerate(rows):
        texts = [f"{number} {place}" for place in range(count)]
        parquet(
            folder / f"{number}.parquet",
            image=pa.array([b"x"] * count, pa.binary()),
            text=pa.array(texts, pa.string()),
        )
        expected += texts
    source = Table(path=str(folder))
    if not expected:
        with pytest.raises(LepbenchError, match="holds no rows"):
            source.open(64, None)
        return
    corpus = source.open(64, None)
    assert corpus.count == len(expected)
    for number in data.draw(st.permutations(range(len(expected)))):
        assert corpus.entry(number).load().caption == expected[number]


def test_what_a_table_turns_away(tmp_path: Path) -> None:
    (tmp_path / "near.jpg").write_bytes(PHOTOGRAPH)
    pictures = [
        "near.jpg",
        "gone.jpg",
        "../up.jpg",
        "https://example.org/a.jpg",
        None,
        "near.jpg",
        "near.jpg",
    ]
    texts = [["first", "second"], ["a"], ["b"], ["c"], ["d"], [], None]
    path = parquet(
        tmp_path / "a.parquet", image=pictures, text=texts, name=list("abcdeff"), terms=["CC0"] + [None] * 6
    )
    source = Table(path=str(path), id="name", licence_column="terms")
    assert outcomes(source.open(64, None)) == {
        "train-000000000 a": Original(PHOTOGRAPH, "first", "CC0"),
        "train-000000001 b": ("missing file", "gone.jpg"),
        "train-000000002 c": ("path leaves the folder", "../up.jpg"),
        "train-000000003 d": ("picture is at an address", "https://example.org/a.jpg"),
        "train-000000004 e": ("no picture", ""),
        "train-000000005 f": ("no caption", ""),
        "train-000000006 f": ("no caption", ""),
    }


def test_tables_of_the_same_shape_and_other_content_have_other_recipes(tmp_path: Path) -> None:
    def recipe(place: str, *rows: tuple[bytes, str]) -> dict[str, Any]:
        pictures, texts = zip(*rows, strict=True)
        path = parquet(tmp_path / place / "a.parquet", image=list(pictures), text=list(texts))
        return Table(path=str(path)).open(64, None).recipe()

    first, second = (PHOTOGRAPH, "a"), (OTHER, "b")
    assert recipe("1", first, second) == recipe("2", first, second)
    assert recipe("1", first, second) != recipe("3", first, (OTHER, "c"))
    assert recipe("1", first, first) != recipe("4", first, (PHOTOGRAPH[:-1] + b"x", "a"))


def test_a_row_that_is_not_utf8_spoils_nothing_else(tmp_path: Path) -> None:
    texts = pa.array([b"a", b"caf\xe9", b"c"], pa.binary()).view(pa.string())
    table = pa.table({"image": [PHOTOGRAPH] * 3, "text": texts})
    pq.write_table(table, tmp_path / "a.parquet")
    datasets.Dataset(table).save_to_disk(str(tmp_path / "disk"))
    for path in (tmp_path / "a.parquet", tmp_path / "disk"):
        found = captions(Table(path=str(path)).open(64, None))
        assert list(found.values()) == ["a", "caption is not UTF-8", "c"]


def test_tables_that_are_none_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no PAR1")
    (tmp_path / "bad.arrow").write_bytes(b"no table")
    (tmp_path / "notes.csv").write_bytes(b"image,text")
    good = parquet(tmp_path / "good.parquet", image=[b"x"], text=["a"])
    columns = [pa.array([b"x"]), pa.array(["a"]), pa.array(["b"])]
    twice, random = tmp_path / "twice.parquet", tmp_path / "random.arrow"
    pq.write_table(pa.Table.from_arrays(columns, ["image", "text", "text"]), twice)
    with pa.OSFile(str(random), "wb") as sink, pa.ipc.new_file(sink, pq.read_schema(good)) as writer:
        writer.write_table(pq.read_table(good))
    for source, message in (
        (Table(path=str(tmp_path / "bad.parquet")), "cannot read"),
        (Table(path=str(tmp_path / "none.parquet")), "no table"),
        (Table(path=str(tmp_path / "none.arrow")), "no table"),
        (Table(path=str(tmp_path / "notes.csv")), "no table"),
        (Table(path=str(tmp_path / "bad.arrow")), "cannot open"),
        (Table(path="owner/name-v1.5"), "cannot open 'owner/name-v1.5'"),
        (Table(path=str(twice)), "has more than one column 'text'; rename"),
        (Table(path=str(random)), "is in Arrow's file format, and only its stream format is read; write"),
        (Table(path=str(good), image="jpg"), "has no column 'jpg'; name one of: image, text"),
        (Table(path="owner/name"), "cannot open 'owner/name'"),
        (Table(path="owner/name", streaming=True), "cannot list 'owner/name' on the hub"),
    ):
        with pytest.raises(LepbenchError, match=message):
            source.open(64, None)


def split_folder(folder: Path, *names: str) -> Path:
    """A Parquet file of each name, captioned by it."""
    for name in names:
        parquet(folder / name, image=[PHOTOGRAPH], text=[name])
    return folder


@pytest.mark.parametrize(
    ("names", "split", "chosen"),
    [
        (["train-00000-of-00001.parquet", "test-00000-of-00001.parquet"], "train", [0]),
        (["train/0001.parquet", "test/0001.parquet"], "test", [1]),
        (["data/train_0.parquet", "data/validation_0.parquet"], "val", [1]),
        (["dev.parquet", "train.parquet", "train2.parquet"], "train", [1, 2]),
        (["coco_train.parquet", "coco_test.parquet"], "train", [0]),
        (["Train/a.parquet", "TEST/a.parquet"], "train", [0]),
        (["extra-00000-of-00001.parquet", "test-00000-of-00001.parquet"], "test", [1]),
        (["extra-00000-of-00001.parquet", "test-00000-of-00001.parquet"], "extra", [0]),
        (["train2014-1.parquet", "train2017-1.parquet"], "train2014", [0]),
        (["validation_matched-1.parquet", "validation_other-1.parquet"], "validation_matched", [0]),
        (["a.parquet", "b/c.parquet"], "test", [0, 1]),
        (["part-00000-of-00002.parquet", "part-00001-of-00002.parquet"], "train", [0, 1]),
        (["trainer.parquet", "contest.parquet"], "train", [0, 1]),
    ],
)
def test_of_a_folder_the_files_of_the_split_are_read(
    tmp_path: Path, names: list[str], split: str, chosen: list[int]
) -> None:
    source = Table(path=str(split_folder(tmp_path, *names)), split=split)
    read = captions(source.open(64, None)).values()
    assert sorted(read) == sorted(names[number] for number in chosen)


@pytest.mark.parametrize(
    "split", ["my-split", "../x", "a/b", "", ".", "a.", "train[:10%]", "train+test", "a\n"]
)
def test_a_split_that_datasets_cannot_open_is_refused(split: str) -> None:
    with pytest.raises(LepbenchError, match="split: a split is named by letters"):
        select_source({"name": "table", "path": "a.parquet", "split": split})


@pytest.mark.parametrize(
    ("names", "split", "message"),
    [
        (
            ["train.parquet", "test.parquet"],
            "validation",
            "no files of split 'validation'; there are: test, ",
        ),
        (
            ["train.parquet", "more.parquet"],
            "train",
            "more.parquet names no split, while others are of train",
        ),
        (["test/train.parquet"], "train", "test/train.parquet may be of splits test and train"),
    ],
)
def test_a_folder_whose_splits_cannot_be_told_is_one_line(
    tmp_path: Path, names: list[str], split: str, message: str
) -> None:
    with pytest.raises(LepbenchError, match=message):
        Table(path=str(split_folder(tmp_path, *names)), split=split).open(64, None)


def test_the_hubs_files_are_those_that_datasets_finds(tmp_path: Path) -> None:
    def found(path: Path, **settings: Any) -> list[str]:
        files = list_hub_files(Table(path=str(path), streaming=True, **settings))
        return [Path(file).relative_to(path).as_posix() for file in files]

    plain = split_folder(tmp_path / "plain", "train/0001.parquet", "validation/0001.parquet")
    assert found(plain) == ["train/0001.parquet"]
    assert found(plain, split="val") == ["validation/0001.parquet"]
    with pytest.raises(LepbenchError, match="no Parquet files of split 'test'; of splits it has train, "):
        found(plain, split="test")
    several = split_folder(tmp_path / "several", "x/train-1.parquet", "y/train-1.parquet")
    configs = [{"config_name": c, "data_files": f"{c}/*.parquet"} for c in "xy"]
    (several / "README.md").write_text(f"---\n{json.dumps({'configs': configs})}\n---\n")
    assert found(several, config="y") == ["y/train-1.parquet"]
    with pytest.raises(LepbenchError, match=r"Config name is missing.*\['x', 'y'\]"):
        found(several)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)


# WebDataset


names = st.text("ab./", min_size=1, max_size=6).filter(lambda name: name.strip("./"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(names, st.sampled_from([".jpg", ".txt", ".json", ".cls", ""]), st.binary(max_size=9)))
)
def test_every_member_of_an_archive_is_in_a_sample_or_told(
    tmp_path_factory: pytest.TempPathFactory, members: list[tuple[str, str, bytes]]
) -> None:
    path = write_tar(
        tmp_path_factory.mktemp("tar") / "a.tar", [(name + suffix, c) for name, suffix, c in members]
    )
    source = WebDataset(path=str(path))
    if all(is_hidden(name + suffix) for name, suffix, _ in members):
        with pytest.raises(LepbenchError, match="hold nothing"):
            source.open(64, None)
        return
    found = outcomes(source.open(64, None))
    with tarfile.open(path) as archive:
        streams = {m.name: archive.extractfile(m) for m in reversed(archive.getmembers())}
        whole = {name: stream.read() for name, stream in streams.items() if stream is not None}
    pictures = [content for content in whole.values()]
    for got in found.values():
        assert not isinstance(got, Original) or got.picture in pictures


def test_an_archive_gives_what_tarfile_gives(tmp_path: Path) -> None:
    members = [
        ("a.jpg", PHOTOGRAPH),
        ("a.txt", "caf\u00e9".encode()),
        ("sub/b.c.jpg", b"its suffix is c.jpg"),
        ("c.json", json.dumps({"caption": "from json", "licence": "CC0"}).encode()),
        ("c.png", OTHER),
        ("d.jpg", PHOTOGRAPH),
        ("e.txt", b"alone"),
        ("a.jpg", OTHER),
        ("../f.jpg", OTHER),
        ("/g.jpg", OTHER),
        ("h.jpg", PHOTOGRAPH),
        ("h.json", b"["),
    ]
    source = WebDataset(path=str(write_tar(tmp_path / "x" / "s.tar", members)), licence_key="licence")
    found = outcomes(source.open(64, None))
    assert found == {
        "s.tar/a": Original(PHOTOGRAPH, "caf\u00e9", None),
        "s.tar/c": Original(OTHER, "from json", "CC0"),
        "s.tar/sub/b": ("no picture", "unused: c.jpg"),
        "s.tar/d": ("no caption", ""),
        "s.tar/e": ("no picture", ""),
        "s.tar/a.jpg": ("repeated member", ""),
        "s.tar/../f.jpg": ("path leaves the folder", ""),
        "s.tar//g.jpg": ("path leaves the folder", ""),
        "s.tar/h": ("malformed metadata row", "not JSON"),
    }


def test_licences_of_any_source_can_be_written(tmp_path: Path) -> None:
    told, written = "\ud800 of\nmine", "\\ud800 of mine"
    record = json.dumps({"caption": "a", "licence": told}).encode()
    path = write_tar(tmp_path / "s.tar", [("a.jpg", PHOTOGRAPH), ("a.json", record)])
    annotations = coco_files(
        tmp_path, images=[{"id": 1, "file_name": "1.jpg", "license": 1}], licenses=[{"id": 1, "name": told}]
    )
    table = parquet(tmp_path / "a.parquet", image=[PHOTOGRAPH], text=["a"], terms=["of\nmine"])
    for source, licence in (
        (WebDataset(path=str(path), licence_key="licence"), written),
        (Coco(annotations=annotations, images=tmp_path / "images"), written),
        (Table(path=str(table), licence_column="terms"), "of mine"),
    ):
        got = source.open(64, 1).entry(0).load()
        assert got.licence == licence


def test_links_and_devices_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "s.tar", [("a.jpg", PHOTOGRAPH), ("a.txt", b"a")])
    with tarfile.open(path, "a") as archive:
        for name, kind in (
            ("b.jpg", tarfile.SYMTYPE),
            ("c.jpg", tarfile.LNKTYPE),
            ("d.jpg", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    found = captions(WebDataset(path=str(path)).open(64, None))
    assert found == {
        "s.tar/a": "a",
        **{f"s.tar/{letter}.jpg": "no plain file" for letter in "bcd"},
    }


@given(st.integers(0, 20_000))
@settings(max_examples=30, deadline=None)
def test_of_an_archive_that_is_cut_off_the_whole_part_is_used(
    tmp_path_factory: pytest.TempPathFactory, end: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "s.tar"
    write_tar(path, [("a.jpg", PHOTOGRAPH[:3000]), ("a.txt", b"a"), ("b.jpg", OTHER[:3000]), ("b.txt", b"b")])
    content = path.read_bytes()
    path.write_bytes(content[:end])
    source = WebDataset(path=str(path))
    if end < 512:
        with pytest.raises(LepbenchError, match=r"is no uncompressed tar|hold nothing"):
            source.open(64, None)
        return
    found = captions(source.open(64, None))
    if end >= 512 + 3072 + 512 + 1:
        assert found["s.tar/a"] == "a"
    if end < 512 + 3072 + 1024 + 3072:
        assert any(reason in ("archive is cut off", "no caption") for reason in found.values())


def ten(folder: Path) -> Path:
    """Ten samples of 3584 bytes each, headers included."""
    return write_tar(
        folder / "s.tar",
        [
            member
            for n in range(10)
            for member in ((f"{n}.jpg", bytes([n]) * 2000), (f"{n}.txt", f"t{n}".encode()))
        ],
    )


@pytest.mark.parametrize("lost", [0, 4, 9])
@pytest.mark.parametrize("noise", [b"\x55", b"\0"])
def test_of_an_archive_with_a_damaged_header_the_rest_is_used(
    tmp_path: Path, lost: int, noise: bytes
) -> None:
    path = ten(tmp_path)
    content = bytearray(path.read_bytes())
    content[3584 * lost : 3584 * lost + 512] = noise * 512
    path.write_bytes(content)
    found = captions(WebDataset(path=str(path)).open(64, None))
    rejects = {f"s.tar/{lost}": "no picture", f"s.tar/byte {3584 * lost}": "archive is damaged"}
    assert found == {f"s.tar/{n}": f"t{n}" for n in range(10)} | rejects


def test_archives_strung_together_are_used_whole_and_told(tmp_path: Path) -> None:
    one = write_tar(tmp_path / "1" / "a.tar", [("a.jpg", PHOTOGRAPH), ("a.txt", b"a")])
    two = write_tar(tmp_path / "2" / "b.tar", [("b.jpg", PHOTOGRAPH), ("b.txt", b"b")])
    with tarfile.open(one) as archive:
        end = archive.getmembers()[-1].offset + 1024
    path = tmp_path / "s.tar"
    path.write_bytes(one.read_bytes() + two.read_bytes())
    found = captions(WebDataset(path=str(path)).open(64, None))
    assert found == {"s.tar/a": "a", "s.tar/b": "b", f"s.tar/byte {end}": "archive is damaged"}


def test_what_follows_an_archive_and_is_none_is_told(tmp_path: Path) -> None:
    path = ten(tmp_path)
    whole = captions(WebDataset(path=str(path)).open(64, None))
    path.write_bytes(path.read_bytes() + bytes(100_000))
    assert captions(WebDataset(path=str(path)).open(64, None)) == whole
    path.write_bytes(path.read_bytes() + b"junk")
    assert captions(WebDataset(path=str(path)).open(64, None)) == whole | {
        "s.tar/byte 35840": "archive is damaged"
    }


def raw_header(name: bytes, size: int, kind: bytes = b"0") -> bytes:
    """A header with a size in base 256, right in all but what it says."""
    block = bytearray(512)
    block[: len(name)], block[257:263], block[156:157] = name, b"ustar ", kind
    block[124:136] = (size % 256**12).to_bytes(12, "big") if size < 0 else b"%011o\0" % size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", [-1, -511, -512, -513, -1024, -(2**40)])
@pytest.mark.parametrize("kind", [b"0", b"L", b"x", b"S", b"5"])
def test_a_member_of_a_negative_size_does_not_hold_up_the_rest(
    tmp_path: Path, size: int, kind: bytes
) -> None:
    path = ten(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[:3584] + raw_header(b"x.jpg", size, kind) + content[3584:])
    found = captions(WebDataset(path=str(path)).open(64, None))
    assert found == {f"s.tar/{n}": f"t{n}" for n in range(10)} | {"s.tar/byte 3584": "archive is damaged"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("size", ["-1", "-512", "-2560", "99999999999", "9" * 30])
def test_a_size_told_anew_may_be_as_wrong(tmp_path: Path, size: str) -> None:
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("a.jpg")
        info.pax_headers = {"size": size}
        archive.addfile(info)
    found = captions(WebDataset(path=str(path)).open(64, None))
    assert set(found.values()) & {"archive is damaged", "archive is cut off"}


@given(st.lists(st.tuples(st.integers(0, 35_839), st.binary(min_size=1, max_size=600)), max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_damage_to_an_archive_is_survived(
    tmp_path_factory: pytest.TempPathFactory, damages: list[tuple[int, bytes]]
) -> None:
    path = ten(tmp_path_factory.mktemp("damaged"))
    content = bytearray(path.read_bytes())
    for at, noise in damages:
        content[at : at + len(noise)] = noise
    path.write_bytes(content)
    touched = {at // 3584 for at, _ in damages} | {(at + len(n) - 1) // 3584 for at, n in damages}
    found = captions(WebDataset(path=str(path)).open(64, None))
    assert all(found[f"s.tar/{n}"] == f"t{n}" for n in set(range(10)) - touched)


def test_an_archives_samples_are_held_in_a_hundred_bytes_each(tmp_path: Path) -> None:
    path = write_tar(
        tmp_path / "s.tar", [(f"{n:09d}.{kind}", b"x") for n in range(3000) for kind in ("jpg", "txt")]
    )
    tracemalloc.start()
    corpus = WebDataset(path=str(path)).open(64, None)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert corpus.count == 3000
    assert held < 100 * corpus.count


def test_a_limit_leaves_what_is_behind_it_out_of_the_recipe(tmp_path: Path) -> None:
    def recipe(place: str, limit: int | None, *later: str) -> object:
        folder = tmp_path / place
        for number, names in enumerate((("a", "b", "c"), later)):
            write_tar(folder / f"{number}.tar", [(f"{name}.jpg", PHOTOGRAPH) for name in names])
        corpus = WebDataset(path=str(folder)).open(64, limit)
        assert corpus.count == min(3 + len(later), limit or 99)
        assert corpus.entry(corpus.count - 1).id[-1] in "abcde"
        return corpus.recipe()["fingerprint"]

    assert recipe("1", 2, "d") == recipe("2", 2, "e", "d") == recipe("3", 2)
    assert recipe("1", 3, "d") == recipe("2", 3, "e") != recipe("1", 2, "d")
    assert recipe("1", 4, "d") == recipe("2", 4, "d", "e") != recipe("1", 4, "e")


# Folders sorted by class


def test_a_template_makes_captions_of_folders_names(tmp_path: Path) -> None:
    for name in ("n01440764_tench", "sea_lion", "n01440764"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(PHOTOGRAPH)
    source = Folder(path=tmp_path, template="a photo of a {}")
    assert captions(source.open(64, None)) == {
        "n01440764/1.jpg": "a photo of a n01440764",
        "n01440764_tench/1.jpg": "a photo of a tench",
        "sea_lion/1.jpg": "a photo of a sea lion",
    }


@pytest.mark.parametrize("template", ["a photo", "{} and {}", "{name}", "{} {x}"])
def test_a_template_has_one_place(tmp_path: Path, template: str) -> None:
    with pytest.raises(ValueError, match=r"has \{\} once"):
        Folder(path=tmp_path, template=template)


def test_links_are_followed_within_the_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (tmp_path / "secret.jpg").write_bytes(PHOTOGRAPH)
    (folder / "a.jpg").write_bytes(PHOTOGRAPH)
    (folder / "in.jpg").symlink_to(folder / "a.jpg")
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    for name in ("a", "in", "out"):
        (folder / f"{name}.txt").write_text(name)
    assert captions(Folder(path=folder).open(64, None)) == {
        "a.jpg": "a",
        "in.jpg": "in",
        "out.jpg": "path leaves the folder",
    }


# All


@pytest.fixture
def every_source(tmp_path: Path) -> list[Source]:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(PHOTOGRAPH)
    (tmp_path / "photos" / "a.txt").write_text("a")
    made = datasets.Dataset.from_dict({"image": [PHOTOGRAPH], "text": ["a"]})
    made.cast_column("image", datasets.Image()).save_to_disk(tmp_path / "disk")
    return [
        Sketchworld(),
        Folder(path=tmp_path / "photos"),
        Coco(annotations=coco_files(tmp_path / "coco"), images=tmp_path / "coco" / "images"),
        Table(path=str(parquet(tmp_path / "a.parquet", image=[PHOTOGRAPH], text=["a"]))),
        Table(path=str(tmp_path / "disk")),
        WebDataset(path=str(write_tar(tmp_path / "a.tar", [("a.jpg", PHOTOGRAPH), ("a.txt", b"a")]))),
    ]


def test_every_corpus_can_go_to_another_process_before_and_after_it_was_read(
    every_source: list[Source],
) -> None:
    for source in every_source:
        corpus = source.open(16, 3)
        for _ in range(2):
            again = pickle.loads(pickle.dumps(corpus))
            assert again.recipe() == corpus.recipe()
            for number in range(corpus.count):
                one, other = corpus.entry(number), again.entry(number)
                assert one.id == other.id
            got, same = corpus.entry(0).load(), again.entry(0).load()
            assert (bytes(got.picture), got.caption) == (bytes(same.picture), same.caption)


def test_names_that_are_not_utf8_are_kept_as_escapes(tmp_path: Path) -> None:
    here = tmp_path / "caf\udce9"
    here.mkdir()
    (here / "a\udce9.jpg").write_bytes(PHOTOGRAPH)
    (here / "a\udce9.txt").write_text("a")
    annotations = coco_files(here / "coco").rename(here / "told\udce9.json")
    sources: list[tuple[dict[str, Any], str]] = [
        ({"name": "folder", "path": here}, r"folder:caf\udce9"),
        (
            {"name": "coco", "annotations": annotations, "images": here / "coco" / "images"},
            r"coco:told\udce9",
        ),
    ]
    for number, (source, label) in enumerate(sources):
        build_triplets(BuildConfig.model_validate({"source": source, "size": 32}), tmp_path / str(number))
        (shard,) = (tmp_path / str(number) / "data").iterdir()
        assert set(pq.read_table(shard)["source"].to_pylist()) == {label}


def test_tables_and_archives_below_a_folder_that_is_not_utf8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "caf\udce9"
    write_tar(here / "a\udce9.tar", [("a.jpg", PHOTOGRAPH), ("a.txt", b"a")])
    monkeypatch.chdir(here)
    corpus = WebDataset(path=".").open(16, None)
    assert corpus.label == r"webdataset:caf\udce9"
    assert captions(corpus) == {r"a\udce9.tar/a": "a"}
    json.dumps(corpus.recipe(), ensure_ascii=False).encode()
    parquet(tmp_path / "a.parquet", image=[PHOTOGRAPH], text=["a"]).rename(here / "\udce9.parquet")
    with pytest.raises(LepbenchError, match="cannot read"):
        Table(path=".").open(16, None)


def test_no_recipe_names_a_place(every_source: list[Source], tmp_path: Path) -> None:
    for source in every_source:
        assert str(tmp_path) not in json.dumps(source.open(16, 3).recipe())
        assert str(tmp_path) not in source.open(16, 3).label
