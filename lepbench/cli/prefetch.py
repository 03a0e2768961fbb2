"""`lepbench prefetch`: download the weights of a detector into the cache, pinned by their hash."""

from __future__ import annotations

import json

import click


@click.command("prefetch")
@click.argument("name")
@click.option("--from", "source", metavar="URL_OR_PATH", help="Get the file from there.")
@click.option("--sha256", metavar="HEX", help="Refuse any other file.")
@click.option("--trust", is_flag=True, help="Accept any file, and pin its hash from then on.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a sentence.")
def command(name: str, source: str | None, sha256: str | None, trust: bool, as_json: bool) -> None:
    """Download the published weights of a detector; no other command downloads them.

    NAME is one of dexined, hed, lineart, lineart-coarse and pidinet. None of their hashes ships with this
    package: give it, or trust the first file; later files are checked against a lock beside it.

    \b
    Examples:
      lepbench prefetch dexined --trust
      lepbench prefetch dexined --from DexiNed_BIPED_10.pth --sha256 HEX
    """
    from lepbench.bars import show_bars
    from lepbench.detectors.prefetch import prefetch

    with show_bars() as progress:
        found = prefetch(name, source, sha256=sha256, trust=trust, progress=progress)
    size = found.path.stat().st_size
    if as_json:
        click.echo(json.dumps({"name": name, "path": str(found.path), "size": size, "sha256": found.sha256}))
    else:
        click.echo(f"{found.path}: {size:,} bytes, sha256 {found.sha256}")
