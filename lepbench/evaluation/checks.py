"""What a verification checked, and what remains a matter of trust: a list, and the level that follows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lepbench.backbones import choose_device, load_backbone
from lepbench.evaluation.conditions import MODEL, OVERLAY, REAL, UNGUIDED, VAE, WRONG_SKETCH
from lepbench.evaluation.guard import GuardReport, guard_run, make_guard_terms
from lepbench.evaluation.opening import LoadBackbone
from lepbench.evaluation.protocol import Protocol
from lepbench.evaluation.provenance import check_embedded, list_networks
from lepbench.evaluation.record import Record
from lepbench.evaluation.recount import Known, recount_samples
from lepbench.evaluation.redraw import Redrawn, redraw_samples
from lepbench.evaluation.verification_levels import REDRAWN, SELF_REPORTED, VERIFIED
from lepbench.evaluation.verify import verify_record
from lepbench.judges import JudgeConfig, Judges
from lepbench.progress import Progress, ignore_progress
from lepbench.suites import Suite


@dataclass(frozen=True)
class Check:
    """One thing that a verification looks at.

    Attributes:
        name: `suite`, `counts`, `pictures`, `references`, `networks`, `judges`, `redrawn` or `guard`.
        checked: what was found true; empty where nothing was looked at.
        trusted: what was not looked at; empty where nothing is left.
    """

    name: str
    checked: str = ""
    trusted: str = ""

    def __str__(self) -> str:
        left = f"not checked: {self.trusted}" if self.trusted else ""
        return "; ".join(part for part in (self.checked, left) if part)


@dataclass(frozen=True)
class Verification:
    """A record that was found true, and how far that was looked at."""

    record: Record
    checks: tuple[Check, ...]
    guarded: GuardReport | None = None

    @property
    def level(self) -> str:
        """A name in `LEVELS`: pictures from elsewhere are self-reported, whatever was scored again."""
        open_ones = {check.name for check in self.checks if check.trusted}
        if self.record.identity.model.backbone is None or "pictures" in open_ones:
            return SELF_REPORTED
        return VERIFIED if "redrawn" in open_ones else REDRAWN

    @property
    def advice(self) -> str:
        """What raises the level; empty where nothing does."""
        if self.record.identity.model.backbone is None:
            return "pictures that were drawn elsewhere stay self-reported"
        flags = {"pictures": "--images", "redrawn": "--redraw N"}
        left = [flags[check.name] for check in self.checks if check.trusted and check.name in flags]
        if len(left) > 1:
            return f"--images makes it {VERIFIED}, with --redraw N {REDRAWN}"
        return f"{left[0]} makes it {REDRAWN}" if left else ""

    def describe(self) -> dict[str, Any]:
        """The object that `lepbench verify --json` prints."""
        return {
            "model": self.record.identity.model.name,
            "record": self.record.id,
            "level": self.level,
            "checks": {
                check.name: {"checked": check.checked, "not_checked": check.trusted} for check in self.checks
            },
        }


def verify_run(
    folder: Path,
    suite: Suite,
    protocol: Protocol | None = None,
    *,
    pictures: bool = False,
    judges: Judges | None = None,
    redraw: int = 0,
    device: str = "auto",
    load: LoadBackbone = load_backbone,
    known: Known | None = None,
    guard: JudgeConfig | None = None,
    progress: Progress = ignore_progress,
) -> Verification:
    """Verify a run, and say what was looked at.

    Args:
        protocol: the required protocol; the suite's own unless given.
        pictures: score every stored picture again, too: by `judges`, or by what needs none.
        judges: those of the protocol; given, pictures are scored again.
        redraw: how many items are drawn anew.
        device: where they are drawn.
        known: what was scored of other runs; see `recount_samples`.
        guard: reads the pictures where judges score them again; the one that ships unless given.
        progress: called with (stage, done, total): the condition, its samples done, its samples in all.

    Raises:
        LepbenchError: something is missing or does not agree; the message says what.
    """
    record = verify_record(folder, suite, protocol)
    embedded = check_embedded(folder, record)
    scored = recount_samples(folder, suite, judges, progress, known=known) if pictures or judges else 0
    drawn = (
        redraw_samples(folder, record, suite, redraw, device=device, load=load, progress=progress)
        if redraw
        else Redrawn()
    )
    guarded = (
        guard_run(folder, record, suite, guard=guard, device=str(choose_device(device)), progress=progress)
        if judges
        else None
    )
    checks = (
        Check("suite", f"{suite.name} and {record.protocol.name} are the present ones"),
        _describe_counts(record),
        _describe_pictures(scored, judges),
        _describe_references(record, drawn.pictures),
        _describe_networks(record, embedded),
        _describe_judges(record, judges),
        _describe_redrawn(drawn, redraw),
        _describe_guarded(record, guarded, bool(judges)),
    )
    return Verification(record, checks, guarded)


def _describe_guarded(record: Record, guarded: GuardReport | None, scored: bool) -> Check:
    if guarded is not None:
        return Check("guard", str(guarded))
    knows = make_guard_terms(record.protocol) is not None
    return Check("guard", "", "--images" if knows and not scored else "its judges have none")


def _describe_counts(record: Record) -> Check:
    figures = sum(figure.value is not None for row in record.rows.values() for figure in row.values())
    return Check("counts", f"{figures} figures follow from the samples")


def _describe_pictures(scored: int, judges: Judges | None) -> Check:
    if not scored:
        return Check("pictures", "each is the one that was scored", "what was counted of them (--images)")
    said = f"{scored} samples from their pictures"
    return (
        Check("pictures", said) if judges else Check("pictures", said, "what judges say of them (--images)")
    )


def _describe_references(record: Record, drawn: dict[str, int]) -> Check:
    known = [kind.name for kind in (REAL, OVERLAY, WRONG_SKETCH) if kind.name in record.rows]
    left = [k.name for k in (VAE, UNGUIDED) if k.name in record.rows and k.name not in drawn]
    return Check("references", f"{', '.join(known)} made anew", ", ".join(left))


def _describe_networks(record: Record, embedded: list[str]) -> Check:
    """Of the networks that drew."""
    model = record.identity.model
    drawing = [] if model.reference is None else [model.reference.backbone]
    named = dict.fromkeys([*drawing, *list_networks(model)])
    left = [name for name in named if name not in embedded]
    if model.backbone is None:
        left.append("what drew the model's pictures")
    return Check("networks", _say_same(embedded), ", ".join(left))


def _describe_judges(record: Record, judges: Judges | None) -> Check:
    labels = [judge.label for judge in record.protocol.judges]
    return Check("judges", _say_same(labels)) if judges else Check("judges", "", ", ".join(labels))


def _say_same(names: list[str]) -> str:
    return f"{', '.join(names)} have the files here" if names else ""


def _describe_redrawn(drawn: Redrawn, redraw: int) -> Check:
    said = ", ".join(f"{count} pictures of {row}" for row, count in drawn.pictures.items())
    if MODEL.name in drawn.pictures:
        return Check("redrawn", f"{said}; the stored lines are better by {drawn.lead:z.4f}")
    return Check("redrawn", said, "the model's pictures, drawn elsewhere" if redraw else "--redraw N")
