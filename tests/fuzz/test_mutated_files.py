"""Every reader takes a true file; a mutated one loads, or is refused in one clean line within two seconds."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from fuzz import LONGEST, Tally, find_blemish, fuzz_reader, try_reader, write_file
from fuzz_mutations import TOKENS, mutate_file
from fuzz_readers import NAMES, Reader, make_readers

FEW = 40
"""Mutations of a reader; `python benchmarks/fuzz.py` tries more."""
FAILED = {
    "board": (2,),
    "board terms": (1011, 1030),
    "items": (2059,),
    "npy": (0, 24),
    "samples": (24,),
    "statistics": (5038,),
    "svg": (5071,),
    "triplets": (1, 2, 4),
}
"""Mutations that a reader has failed at."""


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Reader]:
    """Every reader, with what it needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEPBENCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        return make_readers(tmp_path_factory.mktemp("made"))


def test_every_reader_is_fuzzed(readers: dict[str, Reader]) -> None:
    assert set(readers) == set(NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_mutated_files_load_or_are_refused(name: str, readers: dict[str, Reader], tmp_path: Path) -> None:
    reader = readers[name]
    for file, content in {**reader.beside, reader.file: reader.content}.items():
        write_file(tmp_path / file, content)
    reader.read(tmp_path)
    tally = fuzz_reader(name, reader, (*FAILED.get(name, ()), *range(1000, 1000 + FEW)), tmp_path)
    assert not tally.faults
    assert tally.loaded + tally.refused == tally.tried


def test_a_mutation_is_the_same_whenever_it_is_made() -> None:
    first, again = (mutate_file("a.json", b'{"a": [1, 2]}', Random("x:7")) for _ in range(2))
    assert first == again
    assert len({mutate_file("a.json", b'{"a": [1, 2]}', Random(f"x:{n}")) for n in range(50)}) > 25


def test_a_fault_is_told_from_a_refusal(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        raise KeyError("x")

    assert "KeyError" in try_reader(Reader("a", b"", fail), tmp_path, Tally())
    assert find_blemish("a" * LONGEST)
    assert find_blemish("two\nlines")
    assert find_blemish("1 validation error for Record")
    assert not find_blemish("m.yaml: unknown key 'x'; did you mean 'y'?")
    assert b"\0" in TOKENS
