"""Evaluate a model on a suite into a folder of results; runs can be interrupted and resumed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.compute as pc

from lepbench.backbones import Backbone, choose_device, load_backbone
from lepbench.backbones.load import Precision
from lepbench.config import parse_config, write_line
from lepbench.errors import LepbenchError
from lepbench.evaluation.cache import keep_table, recall_table
from lepbench.evaluation.condition_runner import ConditionRunner
from lepbench.evaluation.condition_table import ConditionTable
from lepbench.evaluation.conditions import (
    MODEL,
    OVERLAY,
    REAL,
    UNGUIDED,
    VAE,
    WRONG_SKETCH,
    Condition,
    ConditionKind,
    hash_condition,
    list_conditions,
    make_model_condition,
    make_overlay_condition,
    make_real_condition,
    make_unguided_condition,
    make_vae_condition,
    make_wrong_sketch_condition,
)
from lepbench.evaluation.cost import Cost, measure_cost
from lepbench.evaluation.environment import (
    describe_environment,
    list_package_versions,
    measure_peak_accelerator_memory,
    measure_peak_memory,
)
from lepbench.evaluation.features import read_features, write_features
from lepbench.evaluation.folder import STATE, WORK, claim_folder, clear_work, prepare_folder, write_samples
from lepbench.evaluation.judges import check_judges, load_judges
from lepbench.evaluation.layout import RECORD, find_samples
from lepbench.evaluation.parts import hash_protocol, hash_submitted_code, list_method_files
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.protocols import select_protocol
from lepbench.evaluation.record import Identity, Record, Timing, read_record, write_record
from lepbench.evaluation.references import load_references
from lepbench.evaluation.sample import FAILED, Sample, make_batches
from lepbench.evaluation.schema import make_schema, make_work_schema
from lepbench.evaluation.summary import summarise_samples
from lepbench.files import find_cache_folder, sha256_file
from lepbench.judges import Judges
from lepbench.methods import (
    Method,
    ModelConfig,
    UnguidedConfig,
    check_drawing,
    describe_drawing,
    hash_sampler_code,
)
from lepbench.progress import Progress, ignore_progress
from lepbench.submitted import explain_faults, hash_code
from lepbench.suites import Items, Suite

LoadBackbone = Callable[[str, str, Precision], Backbone]
"""From a backbone's name, a device and a precision to the backbone."""


def evaluate(
    model: ModelConfig,
    suite: Suite,
    out: Path,
    *,
    limit: int | None = None,
    samples_per_item: int = 1,
    device: str = "auto",
    judges: Judges | None = None,
    protocol: Protocol | None = None,
    method: Method | None = None,
    stateful: bool = False,
    load: LoadBackbone = load_backbone,
    progress: Progress = ignore_progress,
) -> Record:
    """Generate and score images of a model on a suite, with the reference conditions, into `out`.

    An interrupted run is resumed; a finished one is read.

    Args:
        limit: items from the front of the suite, each with all its variants; None for the suite's default
            number.
        samples_per_item: pictures an item, each from its own noise.
        device: where networks run; "auto" takes a GPU if there is one.
        judges: those of the protocol unless given.
        protocol: the suite's own unless given.
        method: generates the images, instead of the method of the model's configuration.
        stateful: whether that method holds what no hash tells; its run is then never read back.
        load: loads a backbone, as `load_backbone` does, or gives one that was loaded before.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.

    Raises:
        LepbenchError: a file is missing, or `out` cannot be written or belongs to another run.
    """
    started = time.perf_counter()
    protocol = protocol or select_protocol(suite)
    items = suite.items(limit)
    make_schema(protocol)  # a measure that does not fit is reported before anything is loaded
    if judges is None:
        check_judges(protocol)  # likewise
    prepare_folder(out)
    where = choose_device(device)
    height, width = items[0].sketch.shape
    backbone = load_reference_backbone(model, str(where), (height, width), load)
    if backbone is not None and model.reference is not None:
        scale = model.reference.sampler.guidance_scale
        backbone.require_negatives(scale, items.negative_prompts)
    batches = make_batches(suite, items, samples_per_item, protocol.batch_size)
    names = [sample.name for batch in batches for sample in batch]
    method = _prepare_method(
        model.method.name, method or build_method(model, backbone), names, suite=suite, size=(height, width)
    )
    judges = judges or load_judges(protocol, str(where))
    weights = _collect_weights(model, protocol, backbone=backbone, method=method, judges=judges)
    given = {
        "model": model,
        "suite": suite.name,
        "suite_sha256": suite.sha256,
        "protocol_sha256": hash_protocol(protocol),
        "items": len(items),
        "samples_per_item": samples_per_item,
        "weights": weights | ({STATE: uuid4().hex} if stateful else {}),
        "packages": list_package_versions(),
        "device": where.type,
    }
    # Code from outside may call its files anything.
    identity = parse_config(given, Identity, "the run")
    claim_folder(out, identity)
    finished = read_record(out) if (out / RECORD).is_file() else None
    if finished is not None and not any(finished.failed.values()):
        # A kill right after the record was written left it.
        clear_work(out)
        return finished
    run = _Run(
        identity,
        suite,
        items,
        protocol=protocol,
        runner=ConditionRunner(out / WORK, judges, protocol, progress),
    )
    tables = run.tables(backbone, method)
    record = run.record(out, tables, started, backbone)
    write_record(out, record)
    if not any(record.failed.values()):
        clear_work(out)
    return record.place(out)


def load_reference_backbone(
    model: ModelConfig, device: str, size: tuple[int, int], load: LoadBackbone = load_backbone
) -> Backbone | None:
    """The backbone that draws a model's reference rows, and the model's own pictures if it has one.

    Raises:
        LepbenchError: it cannot be loaded, or does not draw pictures of `size`, height and width.
    """
    reference = model.reference
    if reference is None:
        return None
    backbone = load(reference.backbone, device, reference.precision)
    check_drawing(backbone, reference.sampler, size)
    return backbone


def _prepare_method(
    name: str, method: Method, names: list[str], *, suite: Suite, size: tuple[int, int]
) -> Method:
    """A method for the pictures of one run, of `size` px (height, width), which it can draw.

    Raises:
        LepbenchError: it cannot draw them; or a method from outside raises.
    """
    with explain_faults(f"method {name!r}", method):
        prepared = method.restrict(names, suite.item_ids)
        prepared.check(names)
        prepared.check_size(size)
    return prepared


def _collect_weights(
    model: ModelConfig, protocol: Protocol, *, backbone: Backbone | None, method: Method, judges: Judges
) -> dict[str, str]:
    """SHA-256 of every file that decides the pictures or their scores, by name."""
    return {
        **hash_backbone_files(backbone),
        **list_method_files(method),
        **judges.weights,
        **hash_submitted_code(model, method, protocol),
    }


def build_method(model: ModelConfig, backbone: Backbone | None) -> Method:
    """The method that a model's configuration asks for.

    Raises:
        LepbenchError: a file is missing or does not fit; a method from outside raises, or is none.
    """
    label = f"method {model.method.name!r}"
    with explain_faults(label, model.method):
        method = model.method.build(backbone, model.sampler)
    if not isinstance(method, Method):
        raise LepbenchError(
            f"{label} built {type(method).__name__}, which is no Method", "correct its build()"
        )
    return method


def hash_backbone_files(backbone: Backbone | None) -> dict[str, str]:
    """SHA-256 of the backbone's files, by name, and of code from outside that runs it."""
    if backbone is None:
        return {}
    files = {f"backbone/{name}": digest for name, digest in backbone.files_sha256.items()}
    return files | hash_code(backbone.family)


@dataclass
class _Run:
    """One evaluation: its identity, and the finished conditions."""

    identity: Identity
    suite: Suite
    items: Items
    protocol: Protocol
    runner: ConditionRunner
    reused: list[str] = field(default_factory=list)
    methods: dict[str, Method] = field(default_factory=dict)
    """What drew a condition, by name."""

    def tables(self, backbone: Backbone | None, method: Method) -> list[ConditionTable]:
        """The table of every condition, in the order of `list_conditions`; references are generated first."""
        done: dict[ConditionKind, ConditionTable] = {}
        makers: dict[ConditionKind, Callable[[], Condition]] = {
            REAL: make_real_condition,
            **self._backbone_makers(backbone, done),
            MODEL: lambda: make_model_condition(method),
            WRONG_SKETCH: lambda: make_wrong_sketch_condition(done[MODEL]),
        }
        for kind, make in makers.items():
            if kind in self.kinds:
                done[kind] = self._table(make())
        return [done[kind] for kind in self.kinds]

    @property
    def kinds(self) -> tuple[ConditionKind, ...]:
        return list_conditions(self.identity.model, self.suite)

    def _backbone_makers(
        self, backbone: Backbone | None, done: dict[ConditionKind, ConditionTable]
    ) -> dict[ConditionKind, Callable[[], Condition]]:
        """Constructors of the conditions that need a backbone; the tables they read are `done` before."""
        reference = self.identity.model.reference
        if backbone is None or reference is None:
            return {}
        sampler = reference.sampler
        model = {"backbone": hash_backbone_files(backbone), "precision": reference.precision}
        drawn = {**model, "sampler": sampler.model_dump(mode="json")} | hash_sampler_code(sampler)
        plain = UnguidedConfig().build(backbone, sampler)
        return {
            VAE: lambda: make_vae_condition(backbone, model),
            UNGUIDED: lambda: make_unguided_condition(plain, drawn),
            OVERLAY: lambda: make_overlay_condition(done[UNGUIDED]),
        }

    def _table(self, row: Condition) -> ConditionTable:
        """The table of a condition: a reference from the cache if present, otherwise from the runner."""
        if row.method is not None:
            self.methods[row.name] = row.method
        per_item = row.kind.count_samples(self.identity.samples_per_item)
        batches = make_batches(self.suite, self.items, per_item, self.protocol.batch_size)
        if row.depends_on is None:
            return self.runner.table(row, batches)
        folder, key = find_cache_folder() / "references", hash_condition(row, self._shared(per_item))
        kept = recall_table(folder, key, make_work_schema(self.protocol), batches)
        if kept is not None:
            self.reused.append(row.name)
            count = sum(len(batch) for batch in batches)
            self.runner.progress(row.name, count, count)
            return kept
        table = self.runner.table(row, batches)
        keep_table(folder, key, table)
        return table

    def _shared(self, per_item: int) -> dict[str, Any]:
        """Common dependencies of the reference conditions."""
        shared = self.identity.model_dump(
            mode="json", include={"suite", "suite_sha256", "protocol_sha256", "items", "packages", "device"}
        )
        return {**shared, "samples_per_item": per_item, "judges": self.runner.judges.weights}

    def _truncated(self) -> int:
        """Number of captions that the protocol's first judge of captions truncates; 0 if none reads any."""
        labels = self.protocol.find_labels("captions") if "captions" in self.protocol.measures else []
        scorer = self.runner.judges[labels[0]].captions if labels else None
        return scorer.truncated(self.items.prompts) if scorer else 0

    def _list_cut(self, backbone: Backbone | None) -> tuple[str, ...]:
        """Items whose captions the backbone does not read to the end."""
        if backbone is None:
            return ()
        tails = zip(self.items.ids, backbone.find_cut(self.items.prompts), strict=True)
        return tuple(item_id for item_id, tail in tails if tail)

    def _describe(self, backbone: Backbone | None) -> tuple[str, ...]:
        """Notes on how the backbone and the method drew."""
        method = self.methods[MODEL.name]
        with explain_faults(f"method {self.identity.model.method.name!r}", method):
            notes = tuple(method.notes)
        reference = self.identity.model.reference
        if backbone is None or reference is None:
            return notes
        height, width = self.items[0].sketch.shape
        return (*describe_drawing(backbone, reference.sampler, (height, width)), *notes)

    def _measure_costs(self, tables: dict[str, ConditionTable]) -> dict[str, Cost]:
        """What a picture of each condition that a denoiser of ours drew costs, by name."""
        request = Sample(self.suite, self.items.positions[0], 0).request
        costs = {name: measure_cost(tables[name], method, request) for name, method in self.methods.items()}
        return {name: cost for name, cost in costs.items() if cost is not None}

    def record(
        self, out: Path, tables: list[ConditionTable], started: float, backbone: Backbone | None
    ) -> Record:
        """Write samples and pictures, and summarise them.

        Raises:
            LepbenchError: not one picture of the model could be drawn.
        """
        states = (table.read_columns(["status", "reason", "seconds"]) for table in tables)
        named = dict(zip((kind.name for kind in self.kinds), states, strict=True))
        failed = {name: table["status"].to_pylist().count(FAILED) for name, table in named.items()}
        drawn = len(named[MODEL.name])
        if failed[MODEL.name] == drawn:
            reason = named[MODEL.name]["reason"][0].as_py()
            raise LepbenchError(
                f"none of {drawn} pictures of the model could be drawn: {reason}",
                "correct its cause, and run the same command again",
            )
        samples = write_samples(out, tables)
        hashes = write_features(out, [kind.name for kind in self.kinds], tables)
        return Record(
            identity=self.identity,
            protocol=self.protocol,
            sample_count=drawn,
            failed=failed,
            truncated=self._truncated(),
            cut_captions=self._list_cut(backbone),
            notes=tuple(map(write_line, self._describe(backbone))),
            rows=summarise_samples(
                samples, read_features(out, hashes), load_references(self.protocol), self.protocol
            ),
            samples_sha256=sha256_file(find_samples(out)),
            features_sha256=hashes,
            reused=self.reused,
            cost=self._measure_costs(dict(zip((kind.name for kind in self.kinds), tables, strict=True))),
            timing=Timing(
                drawing={name: float(pc.sum(table["seconds"]).as_py()) for name, table in named.items()},
                total=time.perf_counter() - started,
            ),
            peak_memory_bytes=measure_peak_memory(),
            peak_accelerator_bytes=measure_peak_accelerator_memory(self.identity.device),
            machine=describe_environment(self.identity.device),
        )
