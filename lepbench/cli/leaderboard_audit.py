"""`lepbench leaderboard audit`: hold a board against fresh items."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lepbench.cli.console import json_option, say_note
from lepbench.cli.table import split_names

if TYPE_CHECKING:
    from lepbench.methods import ModelConfig
    from lepbench.metrics.statistics import Interval
    from lepbench.run_sets.audit import AuditedFigure

EXAMPLES = Path("examples")
COLUMNS = (
    *("model", "metric", "board", "public", "public_low", "public_high", "fresh", "fresh_low", "fresh_high"),
    *("difference", "low", "high", "differs"),
)


@click.command("audit")
@click.argument("board", metavar="SUITE/PROTOCOL")
@click.argument("models", nargs=-1, type=click.Path(path_type=Path), metavar="[MODEL]...")
@click.option(
    "--secret",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of the bytes that choose the fresh scenes; made, mode 600, if it does not exist.",
)
@click.option("--items", type=click.IntRange(min=2), default=64, show_default=True, help="Fresh items.")
@click.option("--metrics", help="Figures, such as edge_f1_1px  [default: the one that ranks the board].")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/audit"),
    show_default=True,
    help="Folder of the runs; one of a set, such as runs/contestants, has the public ones already.",
)
@click.option(
    "--leaderboards",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("leaderboards"),
    show_default=True,
    help="Folder of leaderboards.",
)
@click.option("--device", default="auto", show_default=True, help="cpu, cuda or auto.")
@json_option
def audit_command(
    board: str,
    models: tuple[Path, ...],
    secret: Path,
    items: int,
    metrics: str | None,
    out: Path,
    leaderboards: Path,
    device: str,
    as_json: bool,
) -> None:
    """Evaluate models of a board on a fresh draw, and print both figures and their difference as CSV.

    MODEL is a YAML file or the folder of a run; the YAML files of examples/ that are on the board unless
    given. Each is evaluated on the board's items and on fresh ones, which a secret chooses: nobody can have
    tuned to them. The difference is fresh less public, with the bootstrap interval of both; `differs` is yes
    where it excludes 0. Of twenty honest models one does so by chance. The same command resumes.

    \b
    Examples:
      lepbench leaderboard audit sketchworld-edges-v1/lepbench-edges-v1 --secret secret.bin
      lepbench leaderboard audit sketchworld-edges-v1/lepbench-edges-v1 examples/mini-lep-fast.yaml \\
        --secret secret.bin --items 256 --out runs/contestants
    """
    from lepbench.api.sets import follow_runs
    from lepbench.publishing.board_table import find_board
    from lepbench.run_sets.audit import Audit

    audit = Audit(find_board(leaderboards, board), secret, items, out, device=device)
    chosen = [read_model_file(model) for model in models] or find_examples(audit.lines)
    others = [name for name in audit.lines if name not in {model.name for model in chosen}]
    say_note(f"not audited: {', '.join(others) or 'none'}")
    table = csv.writer(sys.stdout, lineterminator="\n")
    if not as_json:
        table.writerow(COLUMNS)
    for figure in audit.perform(chosen, split_names(metrics), follow_runs(True)):
        if as_json:
            click.echo(json.dumps(list_facts(figure)))
        else:
            table.writerow(list_cells(figure))
        sys.stdout.flush()


def read_model_file(path: Path) -> ModelConfig:
    """The model of a YAML file, or of a run's folder.

    Raises:
        LepbenchError: it is neither.
    """
    from lepbench.config import load_config
    from lepbench.evaluation.record import read_record
    from lepbench.methods import ModelConfig

    return read_record(path).identity.model if path.is_dir() else load_config(path, ModelConfig)


def find_examples(names: Collection[str]) -> list[ModelConfig]:
    """The models of `examples/` that are called one of `names`.

    Raises:
        LepbenchError: there is none.
    """
    from lepbench.config import read_yaml
    from lepbench.errors import LepbenchError

    found = []
    for path in sorted(EXAMPLES.glob("*.yaml")):
        document = read_yaml(path)
        if isinstance(document, dict) and "method" in document and document.get("name") in names:
            found.append(read_model_file(path))
    if not found:
        raise LepbenchError(f"no model of the board is in {EXAMPLES}", "give the models' YAML files")
    return found


def list_facts(figure: AuditedFigure) -> dict[str, Any]:
    """A line of the table as an object, numbers in full."""
    spreads = (figure.public, figure.fresh, figure.difference)
    values = [figure.model, figure.metric, figure.board, *(n for spread in spreads for n in spread)]
    return dict(zip(COLUMNS, [*values, figure.differs], strict=True))


def list_cells(figure: AuditedFigure) -> list[str]:
    """A line of the table, numbers to six significant digits."""

    def spread(interval: Interval) -> list[str]:
        return [f"{number:.6g}" for number in interval]

    board = "" if figure.board is None else f"{figure.board:.6g}"
    cells = [figure.model, figure.metric, board, *spread(figure.public), *spread(figure.fresh)]
    return [*cells, *spread(figure.difference), "yes" if figure.differs else "no"]
