"""`lepbench prefetch`: download ahead what a run needs, or the weights of a detector, pinned by hash."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lepbench.cli.console import say_note
from lepbench.cli.inputs import check_documents
from lepbench.config import read_yaml
from lepbench.errors import LepbenchError
from lepbench.files import format_bytes
from lepbench.needs import Fetchable

if TYPE_CHECKING:
    from lepbench.evaluation.lockfile import Lockfile
    from lepbench.needs import Need

MODELS = (".yaml", ".yml")


@click.command("prefetch")
@click.argument("name", metavar="NAME|MODEL.yaml|SET.yaml")
@click.argument("suite", required=False)
@click.option("--protocol", help="A protocol's name, or a YAML file of terms  [default: the suite's].")
@click.option("--judges", help="A YAML file of judges instead of the protocol's, or none.")
@click.option("--dry-run", is_flag=True, help="List the files and their sizes, and fetch no weights.")
@click.option(
    "--lock",
    type=click.Path(path_type=Path),
    help="Lockfile to write  [default: lepbench.lock.yaml].",
)
@click.option("--from", "source", metavar="URL_OR_PATH", help="Get a detector's file from there.")
@click.option("--sha256", metavar="HEX", help="Refuse any other file of a detector.")
@click.option("--trust", is_flag=True, help="Accept any file of a detector, and pin its hash from then on.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def command(
    name: str,
    suite: str | None,
    protocol: str | None,
    judges: str | None,
    dry_run: bool,
    lock: Path | None,
    source: str | None,
    sha256: str | None,
    trust: bool,
    as_json: bool,
) -> None:
    """Download what 'lepbench evaluate MODEL.yaml --suite SUITE' would fetch, or 'lepbench run SET.yaml'.

    Of a MODEL.yaml, with the SUITE that it needs: the backbone, control module and predictor (safetensors
    alone, half precision where there is nothing else), the judges, and the weights of the protocol's
    detectors. The lockfile says what came: the commits of the hub, the files and their SHA-256. A run with
    HF_HUB_OFFLINE=1 then finds it all.

    Of a SET.yaml, which names its suites, the same for all its runs.

    Of a detector: NAME is one of dexined, hed, lineart, lineart-coarse and pidinet. None of their hashes
    ships with this package: give it, or trust the first file; later files are checked against a lock beside
    it.

    \b
    Examples:
      lepbench prefetch model.yaml sketchworld-edges-v1 --dry-run
      lepbench prefetch model.yaml photographs --protocol lepbench-photographs-v1
      lepbench prefetch examples/contestants.yaml
      lepbench prefetch dexined --trust
      lepbench prefetch dexined --from DexiNed_BIPED_10.pth --sha256 HEX
    """
    if Path(name).suffix not in MODELS:
        if suite or protocol or judges or lock or dry_run:
            raise LepbenchError(
                f"{name!r} is no MODEL.yaml; SUITE, --protocol, --judges, --lock and --dry-run are of one",
                "name the file, or leave them out for a detector",
            )
        _fetch_detector(name, source, sha256=sha256, trust=trust, as_json=as_json)
        return
    if source or sha256:
        raise LepbenchError(
            "--from and --sha256 are options of a detector's weights", f"leave them out for {name}"
        )
    check_documents(name, protocol, judges)
    is_set = "models" in read_yaml(Path(name))
    if is_set and (suite or protocol or judges):
        raise LepbenchError(f"{name} is a set: it names suites and protocols", "leave them out")
    if not is_set and suite is None:
        raise LepbenchError("what a run needs depends on its suite", f"lepbench prefetch {name} SUITE")
    from lepbench.api.needs import Planned, PlannedSet, prefetch_evaluation, resolve_planned
    from lepbench.bars import show_bars
    from lepbench.evaluation.lockfile import LOCKFILE

    path, out = Path(name), lock or Path(LOCKFILE)
    planned = PlannedSet(path) if suite is None else Planned(path, suite, protocol, judges)
    with show_bars(transient=True) as progress:
        needs = resolve_planned(planned, trust, progress)
        found = None if dry_run else prefetch_evaluation(planned, needs, out, progress)
    if found is None:
        _print_files(needs, as_json)
    else:
        _print_lock(found, out, as_json)


def _fetch_detector(name: str, source: str | None, *, sha256: str | None, trust: bool, as_json: bool) -> None:
    from lepbench.bars import show_bars
    from lepbench.detectors.prefetch import prefetch

    with show_bars() as progress:
        found = prefetch(name, source, sha256=sha256, trust=trust, progress=progress)
    size = found.path.stat().st_size
    if as_json:
        click.echo(json.dumps({"name": name, "path": str(found.path), "size": size, "sha256": found.sha256}))
    else:
        click.echo(f"{found.path}: {size:,} bytes, sha256 {found.sha256}")


def _print_files(needs: Sequence[Need], as_json: bool) -> None:
    """The files that would be fetched, and those that are here."""
    rows = [(need, file) for need in needs if isinstance(need, Fetchable) for file in need.list_files()]
    if as_json:
        listed = [{"what": need.what, "source": need.source, **file._asdict()} for need, file in rows]
        click.echo(json.dumps(listed))
        return
    for need, file in rows:
        state = "here" if file.here else "fetch"
        click.echo(f"{_write_size(file.size):>10}  {state:<5}  {need.what}: {need.describe()}: {file.name}")
    absent = [file.size for _, file in rows if not file.here]
    unknown = ", and files of unknown size" if None in absent else ""
    size = _write_size(sum(size or 0 for size in absent)) if absent else "nothing"
    click.echo(f"{size:>10}  to fetch{unknown}")


def _print_lock(lock: Lockfile, out: Path, as_json: bool) -> None:
    """What is here by now, a line a source."""
    if as_json:
        click.echo(json.dumps(lock.model_dump(mode="json")))
        return
    for source in lock.sources:
        size = sum(file.size for file in source.files)
        at = f" at {source.revision}" if source.revision else ""
        files = "1 file" if len(source.files) == 1 else f"{len(source.files)} files"
        click.echo(f"{_write_size(size):>10}  {source.what}: {source.source}{at}, {files}")
    say_note(f"wrote {out}")


def _write_size(size: int | None) -> str:
    """Bytes, such as `3.4 GB`."""
    return "?" if size is None else format_bytes(size)
