"""The report of a run: it is one safe file, and says of figures and pictures what the run says."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from forged_run import edit, forge, replaced
from page_reader import PageReader
from page_runs import HOSTILE
from PIL import Image

from lepbench.api.reports import write_report as report
from lepbench.config import parse_config
from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import compare
from lepbench.evaluation.layout import locate_edges
from lepbench.evaluation.record import read_record
from lepbench.methods import ModelConfig
from lepbench.publishing.pages import report_items, thumbnails
from lepbench.publishing.pages.report import MOST_RUNS, render_report, write_report
from lepbench.publishing.pages.report_runs import ReportedRun
from lepbench.suites import Suite

LIMIT = 5_000_000


@pytest.fixture(scope="module")
def page(run: ReportedRun) -> PageReader:
    return PageReader(render_report(run.folder / "report.html", [run]))


def read_image(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_it_is_valid_and_needs_nothing_else(page: PageReader, run: ReportedRun) -> None:
    assert page.faults == []
    assert all(path.is_file() for path in page.list_links(run.folder / "report.html"))


def test_a_caption_that_is_a_tag_is_shown_as_text(page: PageReader) -> None:
    assert any(HOSTILE in one.text for one in page.find("li", class_="item"))
    assert not any("onerror" in one.given for one in page.elements)


def test_the_headline_shows_the_record_on_a_true_scale(page: PageReader, run: ReportedRun) -> None:
    section = re.search(
        r'<table class="headline">.*?</table>', render_report(run.folder / "r.html", [run]), re.DOTALL
    )
    assert section is not None
    table = section[0]
    ticks = [(float(x), float(n)) for x, n in re.findall(r'<text x="([\d.]+)%"[^>]*>([\d.-]+)<', table)]
    slope, start = np.polyfit([x for x, _ in ticks], [n for _, n in ticks], 1)
    rows = re.findall(r'<th scope="row">(\w+)<.*?<circle cx="([\d.]+)%"', table, re.DOTALL)
    figures = {"tiny": run.record.rows["model"], **run.record.rows}
    assert len(rows) == len(run.record.rows)
    for name, place in rows:
        assert slope * float(place) + start == pytest.approx(figures[name]["faithful_f1"].value, abs=1e-3)


def test_items_are_sorted_by_the_figures_of_their_samples(page: PageReader, run: ReportedRun) -> None:
    data = json.loads(page.find("script", id="data")[0].text)
    frame = run.record.samples()
    expected = frame[frame["row"] == "model"].set_index("item_id").loc[run.suite.item_ids[:10], "edge_f1_1px"]
    assert data["values"]["edge_f1_1px"][0] == pytest.approx(expected.tolist(), rel=1e-3)
    assert {one["name"]: one["better"] for one in data["figures"]}["chamfer_px"] == "lower"
    assert "clip_similarity@sketchworld-clip" in data["values"]


def test_sketches_and_pictures_are_those_of_the_run(page: PageReader, run: ReportedRun) -> None:
    images = [one.given["src"] for one in page.find("img") if "li" in one.within]
    for number, item_id in enumerate(run.suite.item_ids[:3]):
        item, (sketch, *shown) = run.suite[item_id], images[4 * number : 4 * number + 4]
        assert ((np.asarray(read_image(sketch).getchannel("A")) == 255) == item.input).all()
        found = [np.asarray(read_image(one).convert("RGB"), np.float64) for one in shown]
        names = (f"{row}/{item_id}-0.png" for row in ("real", "unguided", "model"))
        true = [np.asarray(Image.open(run.folder / "samples" / name), np.float64) for name in names]
        apart = [[np.abs(one - other).mean() for other in true] for one in found]
        # `tiny` is not guided: its pictures are those of the backbone.
        assert apart[0][0] < 4
        assert max(apart[1][1], apart[2][2]) < 20 < min(apart[0][1], apart[1][0], apart[2][0])


def test_the_settings_are_a_model_that_reads_back(page: PageReader, run: ReportedRun) -> None:
    texts = [one.text for one in page.find("code") if "pre" in one.within]
    commands = next(text for text in texts if text.startswith("lepbench evaluate"))
    settings = next(text for text in texts if text.startswith("name:"))
    assert parse_config(yaml.safe_load(settings), ModelConfig, "page") == run.record.identity.model
    assert commands.splitlines() == [
        "lepbench evaluate tiny.yaml --suite tiny-suite --protocol lepbench-edges-v1 --out runs/tiny",
        "lepbench verify runs/tiny --suite tiny-suite --images --redraw 4",
    ]


def test_it_stays_small_where_pictures_are_large(run: ReportedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    monkeypatch.setattr(thumbnails, "SIDE", 512)
    monkeypatch.setattr(thumbnails, "QUALITY", 100)
    monkeypatch.setattr(thumbnails, "open_rgb", lambda path: Image.fromarray(noise))
    text = render_report(run.folder / "report.html", [run])
    pictures = [one.given["src"] for one in PageReader(text).find("img") if "a" in one.within]
    inside = [address for address in pictures if address.startswith("data:")]
    assert 0 < len(inside) < len(pictures) == 30
    assert len(text.encode()) < LIMIT
    assert all((run.folder / link).is_file() for link in pictures if link not in inside)


def test_of_many_samples_the_ends_of_each_figure_are_shown(
    run: ReportedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report_items, "MOST", 6)
    monkeypatch.setattr(report_items, "EXTREME", 1)
    keys = [(item, 0) for item in run.suite.item_ids[:10]]
    chosen = report_items.choose_keys([run], keys, ["edge_f1_1px", "chamfer_px"])
    frame = run.record.samples()
    model = frame[frame["row"] == "model"].set_index("item_id")
    for name in ("edge_f1_1px", "chamfer_px"):
        ends = {model[name].min(), model[name].max()}
        assert ends <= {model.loc[item, name] for item, _ in chosen}
    assert len(chosen) == 6
    assert chosen == sorted(chosen, key=keys.index)


def test_predicted_edges_stand_beside_the_pictures_where_they_are_kept(
    copy_of_run: Path, tiny_suite: Suite
) -> None:
    item = tiny_suite.item_ids[1]
    path = locate_edges(copy_of_run, item)
    path.parent.mkdir()
    Image.new("RGB", (64, 64), "white").save(path)
    run = ReportedRun(copy_of_run, read_record(copy_of_run), tiny_suite)
    page = PageReader(render_report(copy_of_run / "report.html", [run]))
    shown = [one for one in page.find("img") if one.given["alt"].startswith("edges predicted")]
    assert [one.given["alt"] for one in shown] == [f"edges predicted for item {item}"]
    assert shown[0].given["src"].startswith("data:image/webp")


def test_failures_are_listed_with_their_reason(copy_of_run: Path, tiny_suite: Suite) -> None:
    def fail(table):  # type: ignore[no-untyped-def]
        return replaced(replaced(table, "status", "failed", 1), "reason", "<b>out of memory</b>", 1)

    forge(copy_of_run, fail)
    run = ReportedRun(copy_of_run, read_record(copy_of_run), tiny_suite)
    page = PageReader(render_report(copy_of_run / "report.html", [run]))
    assert page.faults == []
    assert [one.text for one in page.find("td") if "memory" in one.text] == ["<b>out of memory</b>"]


def test_several_runs_have_the_differences_of_compare(run: ReportedRun, other: Path, tmp_path: Path) -> None:
    second = replace(run, folder=other, record=read_record(other))
    page = PageReader(render_report(tmp_path / "both.html", [run, second]))
    assert page.faults == []
    found = compare([run.folder, other]).differences
    assert any(one.significant for one in found)
    cells = (re.match(r"[+-]\d\.\d{3}(?=[+-])", one.text) for one in page.find("td", class_="num"))
    values = [float(cell.group()) for cell in cells if cell]
    # The table of differences stands above those of figures, which may be below 0, too.
    assert values[: len(found)] == pytest.approx([one.interval.value for one in found], abs=5e-4)
    assert {one.text for one in page.find("figcaption")} == {"sketch", "real", "tiny", "other"}


def test_what_does_not_compare_is_refused(run: ReportedRun, tmp_path: Path) -> None:
    with pytest.raises(LepbenchError, match="both called 'tiny'"):
        write_report(tmp_path / "r.html", [run, run])
    with pytest.raises(LepbenchError, match=f"at most {MOST_RUNS}"):
        write_report(tmp_path / "r.html", [run] * (MOST_RUNS + 1))


def test_a_report_says_what_was_checked(finished: Path, tiny_suite: Suite, tmp_path: Path) -> None:
    out = report(finished, out=tmp_path / "r.html", suite=tiny_suite.folder, progress=False)
    page = PageReader(out.read_text())
    assert "168 figures follow from the samples" in [one.text for one in page.find("dd")]
    assert [one.text for one in page.find("span", class_="badge self-reported")] == ["self-reported"] * 2


def test_a_record_that_is_not_true_is_called_refused(copy_of_run: Path, tiny_suite: Suite) -> None:
    edit(copy_of_run, lambda document: document["rows"]["model"]["faithful_f1"].update(value=0.99))
    out = report(copy_of_run, suite=tiny_suite.folder, progress=False)
    assert out == copy_of_run / "report.html"
    page = PageReader(out.read_text())
    assert page.find("span", class_="badge refused")
    assert any("says faithful_f1 of model has value 0.99" in one.text for one in page.find("p"))


def test_nothing_to_report_is_refused() -> None:
    with pytest.raises(LepbenchError, match="a report needs a run"):
        report()
