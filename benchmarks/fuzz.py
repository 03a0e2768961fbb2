"""Give every reader mutated files: each loads, or is refused in one clean line within two seconds.

    python benchmarks/fuzz.py --count 10000
    python benchmarks/fuzz.py --readers items samples --count 300

Mutation NUMBER of a reader is always the same; `--first NUMBER --count 1` repeats it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parent))

from fuzz_mutations import mutate_file
from fuzz_readers import Reader, make_readers

from lepbench.data.corpus import Rejected
from lepbench.errors import LepbenchError
from lepbench.sketches.base import Unusable

REFUSED = (LepbenchError, Unusable, Rejected)
"""What a reader raises over a file that it does not take; the latter two leave one entry of a corpus out."""
LONGEST = 500
SLOWEST = 2.0
"""Seconds of the processor for one file."""
FOREIGN = re.compile(
    r"pydantic|validation error|input_value|input_type|object at 0x|Traceback|<class ", re.IGNORECASE
)
"""What a message for people has not."""


@dataclass
class Tally:
    """What became of a reader's files.

    Attributes:
        faults: by the number of the mutation.
    """

    tried: int = 0
    loaded: int = 0
    refused: int = 0
    slowest: float = 0.0
    faults: dict[int, str] = field(default_factory=dict)


def fuzz_reader(name: str, reader: Reader, numbers: Iterable[int], folder: Path) -> Tally:
    """Give a reader the mutations of these numbers.

    Args:
        folder: for the files; it is made.
    """
    for other, content in reader.beside.items():
        write_file(folder / other, content)
    tally = Tally()
    for number in numbers:
        random = Random(f"{name}:{number}")
        write_file(folder / reader.file, mutate_file(reader.file, reader.content, random))
        start = time.process_time()
        fault = try_reader(reader, folder, tally)
        taken = time.process_time() - start
        tally.tried += 1
        tally.slowest = max(tally.slowest, taken)
        if taken > SLOWEST and not fault:
            fault = f"took {taken:.1f} s"
        if fault:
            tally.faults[number] = fault
    return tally


def write_file(path: Path, content: bytes) -> None:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def try_reader(reader: Reader, folder: Path, tally: Tally) -> str:
    """Read the file once and count what comes of it; what is wrong with that, empty for nothing."""
    try:
        reader.read(folder)
    except REFUSED as error:
        tally.refused += 1
        return find_blemish(str(error))
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "lepbench" in frame.filename]
        place = ours[-1] if ours else frame
        return f"{type(error).__name__}: {str(error)[:120]} ({Path(place.filename).name}:{place.lineno})"
    tally.loaded += 1
    return ""


def find_blemish(message: str) -> str:
    """What is wrong with a message: its length, a line break, a library's words; empty for nothing."""
    if len(message) >= LONGEST:
        return f"a message of {len(message)} characters: {message[:80]}"
    if not message.isprintable():
        return f"a message that cannot be printed: {message[:80]!r}"
    foreign = FOREIGN.search(message)
    return f"a message with {foreign[0]!r}: {message[:200]}" if foreign else ""


def format_tallies(tallies: dict[str, Tally]) -> str:
    """A line a reader, then every kind of fault once, with the number of a mutation that shows it."""
    lines = [f"{'reader':18} {'tried':>7} {'loaded':>7} {'refused':>8} {'slowest':>8} {'faults':>7}"]
    for name, t in tallies.items():
        lines.append(f"{name:18} {t.tried:7} {t.loaded:7} {t.refused:8} {t.slowest:7.2f}s {len(t.faults):7}")
    for name, tally in tallies.items():
        kinds: dict[str, list[int]] = {}
        for number, fault in tally.faults.items():
            kinds.setdefault(re.sub(r"\d+|'[^']*'", "#", fault)[:60], []).append(number)
        for numbers in kinds.values():
            lines.append(f"{name}:{numbers[0]} ({len(numbers)} such): {tally.faults[numbers[0]]}")
    return "\n".join(lines)


def main() -> None:
    """Read the options, fuzz, print the table; exit with 1 if there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=10_000, help="mutations in all, shared by the readers")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation of each reader")
    parser.add_argument("--readers", nargs="*", help="only these")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        readers = make_readers(Path(work) / "made")
        chosen = {name: readers[name] for name in options.readers or readers}
        each = -(-options.count // len(chosen))
        numbers = range(options.first, options.first + each)
        tallies = {}
        for name, reader in chosen.items():
            tallies[name] = fuzz_reader(name, reader, numbers, Path(work) / name)
            print(f"{name}: {tallies[name].tried} tried, {len(tallies[name].faults)} faults", file=sys.stderr)
    print(format_tallies(tallies))
    sys.exit(1 if any(tally.faults for tally in tallies.values()) else 0)


if __name__ == "__main__":
    main()
