"""Folders of captioned pictures: what is listed, in which order, and what is turned away."""

from __future__ import annotations

import csv
import json
import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lepbench.data.captions import clean_caption, clean_licence
from lepbench.data.corpus import Reason, Rejected
from lepbench.data.metadata import METADATA, read_metadata
from lepbench.data.sources import Folder
from lepbench.data.sources import files as source_files
from lepbench.data.sources.files import make_distinct, read
from lepbench.errors import LepbenchError


def opened(folder: Path, limit: int | None = None) -> list[tuple[str, str]]:
    """Id and caption of each entry, the reason in place of the caption where it is rejected."""
    corpus = Folder(path=folder).open(64, limit)
    outcomes = []
    for number in range(corpus.count):
        entry = corpus.entry(number)
        try:
            outcomes.append((entry.id, clean_caption(entry.load().caption, 100).text))
        except Rejected as rejected:
            outcomes.append((entry.id, rejected.reason))
    return outcomes


def put(folder: Path, **files: str | bytes) -> None:
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def rows(folder: Path, *records: object) -> None:
    (folder / "metadata.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def test_sidecars_are_read_in_the_order_of_names(tmp_path: Path) -> None:
    put(
        tmp_path,
        b_jpg=b"x",
        b_txt="  two\n lines ",
        a_PNG=b"x",
        a_txt="first",
        sub__c_gif=b"x",
        sub__c_txt="deep",
    )
    put(tmp_path, notes_md="not a picture", sub__stray_txt="no picture")
    assert opened(tmp_path) == [("a.PNG", "first"), ("b.jpg", "two lines"), ("sub/c.gif", "deep")]


def test_hidden_files_and_folders_are_passed_over(tmp_path: Path) -> None:
    put(tmp_path, a_jpg=b"x", a_txt="a")
    (tmp_path / "._a.jpg").write_bytes(b"x")
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "thumb.jpg").write_bytes(b"x")
    assert opened(tmp_path) == [("a.jpg", "a")]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"a_jpg": b"x"}, Reason.NO_CAPTION),
        ({"a_jpg": b"x", "a_txt": " \n"}, Reason.EMPTY_CAPTION),
        ({"a_jpg": b"x", "a_txt": b"caf\xe9"}, Reason.NOT_UTF8),
        ({"a_jpg": b"", "a_txt": "a"}, Reason.EMPTY_FILE),
    ],
)
def test_what_a_sidecar_folder_turns_away(tmp_path: Path, files: dict[str, bytes], reason: Reason) -> None:
    put(tmp_path, **files)
    assert opened(tmp_path) == [("a.jpg", reason)]


def test_a_dangling_link_named_by_metadata_is_a_missing_file(tmp_path: Path) -> None:
    rows(tmp_path, {"file_name": "a.jpg", "text": "a"})
    (tmp_path / "a.jpg").symlink_to(tmp_path / "gone.jpg")
    assert opened(tmp_path) == [("a.jpg", Reason.MISSING_FILE)]


def test_a_byte_order_mark_is_no_part_of_a_caption(tmp_path: Path) -> None:
    put(tmp_path, a_jpg=b"x", a_txt=b"\xef\xbb\xbfa boat")
    assert opened(tmp_path) == [("a.jpg", "a boat")]


def test_metadata_rows_come_first_then_pictures_it_does_not_name(tmp_path: Path) -> None:
    put(tmp_path, a_jpg=b"x", b_jpg=b"x", b_txt="beside", c_jpg=b"x", z_jpg=b"x", z_txt="unused")
    rows(tmp_path, {"file_name": "z.jpg", "text": "z"}, {"file_name": "./a.jpg", "text": "a", "more": 1})
    assert opened(tmp_path) == [
        ("z.jpg", "z"),
        ("./a.jpg", "a"),
        ("b.jpg", "beside"),
        ("c.jpg", Reason.NO_CAPTION),
    ]
    assert opened(tmp_path, limit=2) == [("z.jpg", "z"), ("./a.jpg", "a")]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"file_name": "gone.jpg", "text": "a"}, Reason.MISSING_FILE),
        ({"file_name": "a.jpg/b.jpg", "text": "a"}, Reason.MISSING_FILE),
        ({"file_name": "nul\0.jpg", "text": "a"}, Reason.MISSING_FILE),
        ({"file_name": "\ud800.jpg", "text": "a"}, Reason.MISSING_FILE),
        ({"file_name": "x" * 400 + ".jpg", "text": "a"}, Reason.UNREADABLE_FILE),
        ({"file_name": "sub", "text": "a"}, Reason.NOT_PLAIN),
        ({"file_name": "pipe.jpg", "text": "a"}, Reason.NOT_PLAIN),
        ({"file_name": "../a.jpg", "text": "a"}, Reason.OUTSIDE),
        ({"file_name": "sub/../../a.jpg", "text": "a"}, Reason.OUTSIDE),
        ({"file_name": "..\\a.jpg", "text": "a"}, Reason.OUTSIDE),
        ({"file_name": "/etc/hostname", "text": "a"}, Reason.OUTSIDE),
        ({"file_name": "c:a.jpg", "text": "a"}, Reason.OUTSIDE),
        ({"file_name": "\\\\host\\share\\a.jpg", "text": "a"}, Reason.OUTSIDE),
        ({"file_name": "a.jpg", "text": ""}, Reason.EMPTY_CAPTION),
        ({"file_name": "a.jpg", "text": "\ud800"}, Reason.NOT_UTF8),
        ({"file_name": "a.jpg"}, Reason.BAD_ROW),
        ({"file_name": "a.jpg", "text": None}, Reason.BAD_ROW),
        ({"file_name": 7, "text": "a"}, Reason.BAD_ROW),
        (["a.jpg", "a"], Reason.BAD_ROW),
    ],
)
def test_what_a_metadata_row_is_turned_away_for(tmp_path: Path, record: object, reason: Reason) -> None:
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    rows(tmp_path, record)
    put(tmp_path, a_jpg=b"x")
    (identity, outcome), *_ = opened(tmp_path)
    assert outcome == reason
    identity.encode()


def test_a_line_that_is_no_json_and_one_that_is_no_utf8_spoil_only_themselves(tmp_path: Path) -> None:
    good = b'{"file_name": "a.jpg", "text": "a \xe2\x80\xa8 b"}\n'  # holds U+2028, a line separator
    bad = b'{"file_name": "a.jpg", "text": "caf\xe9"}\n'
    put(tmp_path, a_jpg=b"x", metadata_jsonl=b"{oops\n" + bad + b"\n" + good)
    outcomes = [outcome for _, outcome in opened(tmp_path)]
    assert outcomes == [Reason.BAD_ROW, Reason.NOT_UTF8, "a b"]


def test_several_captions_of_one_picture_are_several_entries(tmp_path: Path) -> None:
    put(tmp_path, a_jpg=b"x")
    rows(tmp_path, *({"file_name": "a.jpg", "text": text} for text in "pqr"))
    assert opened(tmp_path) == [("a.jpg", "p"), ("a.jpg#2", "q"), ("a.jpg#3", "r")]


def test_csv_needs_its_two_columns_and_forgives_a_short_row(tmp_path: Path) -> None:
    for header in ("file_name,label", "label,text"):
        put(tmp_path, a_jpg=b"x", metadata_csv=f"{header}\na.jpg,a\n")
        with pytest.raises(
            LepbenchError, match=f"no column '.*'; it has {header.replace(',', ', ')}; choose"
        ):
            Folder(path=tmp_path).open(64, None)
    put(tmp_path, metadata_csv='text,file_name\n"a, with ""comma""",a.jpg\nonly\n')
    assert opened(tmp_path) == [("a.jpg", 'a, with "comma"'), ("metadata line 2", Reason.BAD_ROW)]


def test_csv_takes_a_caption_of_any_length(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    put(
        tmp_path,
        a_jpg=b"x",
        b_jpg=b"x",
        metadata_csv="file_name,text\na.jpg," + "x " * 500_000 + "\nb.jpg,b\n",
    )
    assert opened(tmp_path) == [("a.jpg", " ".join("x" * 50)), ("b.jpg", "b")]
    assert csv.field_size_limit() == before


def test_two_metadata_files_are_refused(tmp_path: Path) -> None:
    put(tmp_path, metadata_csv="file_name,text\n", metadata_jsonl="")
    with pytest.raises(LepbenchError, match="keep one"):
        Folder(path=tmp_path).open(64, None)


def test_no_folder_and_an_empty_one_are_one_line_each(tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="is not a folder"):
        Folder(path=tmp_path / "gone").open(64, None)
    with pytest.raises(LepbenchError, match="holds no pictures"):
        Folder(path=tmp_path).open(64, None)


def test_fingerprint_follows_content_and_not_the_folders_place(tmp_path: Path) -> None:
    def fingerprint(place: str, caption: str = "a", limit: int | None = None) -> str:
        folder = tmp_path / place / "photos"
        folder.mkdir(parents=True)
        put(folder, a_jpg=b"x", a_txt="a", b_jpg=b"y", b_txt=caption)
        print_: str = Folder(path=folder).open(64, limit).recipe()["fingerprint"]
        return print_

    assert fingerprint("1") == fingerprint("2")
    assert fingerprint("3") != fingerprint("4", caption="b")
    assert fingerprint("5", limit=1) == fingerprint("6", caption="b", limit=1)


def test_a_file_is_read_to_its_end_and_up_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_files, "MOST_BYTES", 5)
    put(tmp_path, five="12345", six="123456")
    assert read(tmp_path / "five") == b"12345"
    # Files under /proc have a size of 0.
    for path, reason in (
        (tmp_path / "six", Reason.TOO_LARGE),
        (Path("/proc/self/status"), Reason.TOO_LARGE),
        (Path("/dev/zero"), Reason.NOT_PLAIN),
    ):
        with pytest.raises(Rejected) as caught:
            read(path)
        assert caught.value.reason is reason


def test_a_caption_beyond_the_folder_is_read_by_neither_build_nor_fingerprint(tmp_path: Path) -> None:
    def fingerprint() -> object:
        return Folder(path=tmp_path / "photos").open(64, None).recipe()["fingerprint"]

    put(tmp_path, secret_txt="secret", photos__a_jpg=b"x")
    (tmp_path / "photos" / "a.txt").symlink_to(tmp_path / "secret.txt")
    assert opened(tmp_path / "photos") == [("a.jpg", Reason.OUTSIDE)]
    first = fingerprint()
    put(tmp_path, secret_txt="another")
    assert fingerprint() == first


@given(st.lists(st.sampled_from(["a", "a#2", "a#3", "b", "\udcff", "\\udcff"]), max_size=12))
def test_ids_are_distinct_utf8_and_first_come_keeps_its_name(names: list[str]) -> None:
    ids = list(make_distinct(names))
    assert len(set(ids)) == len(names)
    assert all(i.encode().decode() == i for i in ids)
    if names and names[0].isascii():
        assert ids[0] == names[0]


@given(st.text())
def test_a_clean_caption_is_one_line_of_the_same_words(text: str) -> None:
    words = unicodedata.normalize(
        "NFC", "".join(c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    )
    if words.split():
        cleaned = clean_caption(text, 10**6)
        assert cleaned.text.split(" ") == words.split()
        assert (cleaned.text == text.strip()) == (not cleaned.changes)
        assert clean_caption(cleaned.text, 10**6) == (cleaned.text, ())
    else:
        with pytest.raises(Rejected, match="empty caption"):
            clean_caption(text, 10**6)


@given(st.text() | st.sampled_from(["\ud800x", "\udcff", " \0"]))
def test_a_clean_licence_can_be_written_or_is_none(told: str) -> None:
    licence = clean_licence(told)
    if licence is not None:
        assert licence.encode()
        assert clean_caption(licence, 1000).changes == ()
    elif told.strip():
        with pytest.raises(Rejected, match="empty"):
            clean_caption(told, 1000)


@pytest.mark.parametrize(
    ("told", "licence"),
    [(None, None), ("", None), (4, "4"), ("CC0\n", "CC0"), ("\ud800x", "\\ud800x"), ("y" * 2000, "y" * 1000)],
)
def test_what_a_corpus_says_of_a_licence(told: object, licence: str | None) -> None:
    assert clean_licence(told) == licence


@given(st.text("ab ", min_size=1).filter(str.strip), st.integers(1, 9))
def test_a_long_caption_is_cut_at_a_word(text: str, most: int) -> None:
    whole, cut = clean_caption(text, 99).text, clean_caption(text, most)
    assert whole.startswith(cut.text)
    assert 0 < len(cut.text) <= most
    assert ("cut" in cut.changes) == (len(whole) > most)
    assert cut.text == whole or whole[len(cut.text)] == " " or " " not in whole[:most]


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=5))
def test_csv_and_jsonl_carry_any_text_alike(tmp_path_factory: pytest.TempPathFactory, pairs: list) -> None:
    pairs = [(name, text) for name, text in pairs if "\0" not in name + text]
    lines, table = tmp_path_factory.mktemp("lines"), tmp_path_factory.mktemp("table")
    rows(lines, *({"file_name": name, "text": text} for name, text in pairs))
    with (table / "metadata.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("file_name", "text"), *pairs])
    for path in (lines / METADATA[0], table / METADATA[1]):
        assert [(row.file_name, row.text) for row in read_metadata(path)] == pairs
