"""From the finished batches in a run's folder to its table, features and record; nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import NonNegativeInt

from lepbench.config import Config, Label
from lepbench.errors import LepbenchError
from lepbench.evaluation.condition_table import ConditionTable, locate_batch
from lepbench.evaluation.conditions import MODEL
from lepbench.evaluation.cost import SECONDS, measure_cost
from lepbench.evaluation.environment import Environment
from lepbench.evaluation.facts import Facts
from lepbench.evaluation.features import read_features, write_features
from lepbench.evaluation.folder import StoredSamples, clear_work, write_samples
from lepbench.evaluation.layout import SAMPLES
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.record import Amount, Identity, Record, Timing, write_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.run_plan import RunPlan
from lepbench.evaluation.sample import FAILED
from lepbench.evaluation.schema import HALVED, make_work_schema
from lepbench.evaluation.summary import summarise_conditions
from lepbench.files import sha256_file


class Effort(Config):
    """What drawing took, and where."""

    facts: Facts
    reused: list[Label]
    """Reference conditions taken from the cache."""
    seconds: Amount
    peak_memory_bytes: NonNegativeInt | None
    peak_accelerator_bytes: NonNegativeInt | None
    machine: Environment


def finish_run(
    out: Path,
    identity: Identity,
    protocol: Protocol,
    tables: Mapping[str, ConditionTable],
    effort: Effort,
) -> Record:
    """Write samples, features and record of a run whose batches are all there.

    Args:
        tables: every condition by name, in the order of the tables.

    Raises:
        LepbenchError: not one picture of the model could be drawn, or something cannot be written.
    """
    columns = ["status", "reason", SECONDS, HALVED]
    states = {name: table.read_columns(columns) for name, table in tables.items()}
    failed = {name: state["status"].to_pylist().count(FAILED) for name, state in states.items()}
    drawn = len(states[MODEL.name])
    if failed[MODEL.name] == drawn:
        reason = states[MODEL.name]["reason"][0].as_py()
        raise LepbenchError(
            f"none of {drawn} pictures of the model could be drawn: {reason}",
            "correct its cause, and run the same command again",
        )
    write_samples(out, list(tables.values()))
    hashes = write_features(out, list(tables), list(tables.values()))
    facts = effort.facts
    record = Record(
        identity=identity,
        protocol=protocol,
        sample_count=drawn,
        failed=failed,
        truncated=facts.truncated,
        cut_captions=facts.cut_captions,
        notes=(*facts.notes, *_note_halved(states)),
        rows=summarise_conditions(
            StoredSamples(out, tables), read_features(out, hashes), load_references(protocol), protocol
        ),
        samples_sha256=sha256_file(out / SAMPLES),
        features_sha256=hashes,
        reused=effort.reused,
        cost={name: measure_cost(tables[name], one) for name, one in facts.arithmetic.items()},
        timing=Timing(
            drawing={name: float(pc.sum(state[SECONDS]).as_py() or 0) for name, state in states.items()},
            total=effort.seconds,
        ),
        peak_memory_bytes=effort.peak_memory_bytes,
        peak_accelerator_bytes=effort.peak_accelerator_bytes,
        machine=effort.machine,
    )
    write_record(out, record)
    if not any(failed.values()):
        clear_work(out)
    return record.place(out)


def _note_halved(states: Mapping[str, pa.Table]) -> list[str]:
    """A note on each condition of which memory ran out for whole batches."""
    counts = {name: pc.sum(state[HALVED]).as_py() or 0 for name, state in states.items()}
    return [
        f"{name}: {count} pictures were drawn in halves of batches, since memory ran out"
        for name, count in counts.items()
        if count
    ]


def list_tables(out: Path, plan: RunPlan) -> dict[str, ConditionTable]:
    """Every condition of a run by name, in the order of the tables, as its batches lie in a folder."""
    return locate_tables(out, plan.protocol, {k.name: len(plan.make_batches(k)) for k in plan.kinds})


def locate_tables(out: Path, protocol: Protocol, counts: Mapping[str, int]) -> dict[str, ConditionTable]:
    """Tables of so many batches each, by name."""
    schema = make_work_schema(protocol)
    return {
        name: ConditionTable(schema, [locate_batch(out, name, number) for number in range(count)])
        for name, count in counts.items()
    }
