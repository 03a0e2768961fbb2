"""The site of boards: pages that hold together, ranks that intervals leave open, and nothing from outside."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from page_reader import PageReader
from site_maker import make_boards

from lepbench.errors import LepbenchError
from lepbench.evaluation.compare import compare
from lepbench.evaluation.figures import Figure
from lepbench.evaluation.guard import GuardReport
from lepbench.evaluation.record import read_record
from lepbench.metrics.statistics import Interval
from lepbench.publishing.board_guard import write_guard
from lepbench.publishing.board_lines import read_lines, sort_lines
from lepbench.publishing.flat_figures import format_lines
from lepbench.publishing.leaderboard import make_line
from lepbench.publishing.pages import site
from lepbench.publishing.pages.ranks import rank_by_intervals, write_ranks
from lepbench.publishing.pages.site import find_runs, write_site

SUITE = "suites/tiny-suite.html"


@pytest.fixture(scope="module")
def pages(made: Path) -> dict[str, PageReader]:
    return {path.relative_to(made).as_posix(): PageReader(path.read_text()) for path in made.rglob("*.html")}


def test_every_page_is_valid_and_leads_to_files_that_are_there(
    made: Path, pages: dict[str, PageReader]
) -> None:
    assert len(pages) == 203
    for name, page in pages.items():
        assert page.faults == [], name
        assert all(path.is_file() for path in page.list_links(made / name)), name


def test_a_method_with_marks_of_html_is_shown_as_text(pages: dict[str, PageReader]) -> None:
    shown = [one.text for one in pages["models/model-001.html"].find("dd")]
    assert "slow(note=&lt; \"q\" 'b' &b;)" in shown


def test_the_table_holds_every_line_of_the_board(boards: Path, pages: dict[str, PageReader]) -> None:
    lines, _ = read_lines(next(boards.glob("*/*.csv")))
    shown = {one.text for one in pages[SUITE].find("a") if "tbody" in one.within}
    assert shown == {line["model"] for line in lines}
    values = [float(one.given["data-value"]) for one in pages[SUITE].find("td", class_="num g-headline")]
    assert sorted(values) == sorted(float(line["faithful_f1"]) for line in lines)


def test_lines_that_nobody_checked_stand_last_and_without_a_rank(pages: dict[str, PageReader]) -> None:
    ranks = [one.text for one in pages[SUITE].find("td", class_="num rank")]
    levels = [one.given["data-level"] for one in pages[SUITE].find("tr") if "data-level" in one.given]
    first = levels.index("0")
    assert set(levels[first:]) == {"0"}
    assert [rank == "–" for rank in ranks] == [level == "0" for level in levels]


def test_the_first_look_has_headline_caption_realism_and_cost(pages: dict[str, PageReader]) -> None:
    boxes = {
        one.given["data-group"]: "checked" in one.given for one in pages[SUITE].find("input", type="checkbox")
    }
    assert {name for name, shown in boxes.items() if shown} == {"headline", "caption", "realism", "cost"}
    assert {"sketch", "minor"} <= boxes.keys()


def test_a_run_gives_its_line_a_report_pictures_and_cost(
    made: Path, finished: Path, pages: dict[str, PageReader]
) -> None:
    record = read_record(finished)
    assert (made / "reports" / f"{record.id[:16]}.html").is_file()
    assert [one.given["href"] for one in pages["models/tiny.html"].find("a") if one.text.startswith("report")]
    data = json.loads(pages[SUITE].find("script", type="application/json")[0].text)
    assert len(data["pictures"]["models"]["tiny"]) == len(data["pictures"]["items"]) == 10
    assert all((made / path).is_file() for path in data["pictures"]["models"]["tiny"])
    seconds = record.cost["model"].seconds
    cells = [one.given["data-value"] for one in pages[SUITE].find("td", class_="num g-cost")]
    assert float(next(filter(None, cells))) == pytest.approx(seconds, rel=1e-5)


def test_it_is_a_static_space_of_the_hub(made: Path) -> None:
    front = yaml.safe_load((made / "README.md").read_text().split("---")[1])
    assert front["sdk"] == "static"
    assert (made / front["app_file"]).is_file()


def test_an_earlier_site_is_replaced_and_anything_else_is_not(finished: Path, tmp_path: Path) -> None:
    boards, out = make_boards(tmp_path / "boards", read_record(finished), 3), tmp_path / "site"
    title = 'A "title": with <signs>'
    write_site(boards, out, title=title)
    assert yaml.safe_load((out / "README.md").read_text().split("---")[1])["title"] == title
    (out / "models" / "gone.html").write_text("of a model that is on no board any more")
    (out / "CNAME").write_text("mine")
    write_site(boards, out)
    assert not (out / "models" / "gone.html").exists()
    assert (out / "CNAME").read_text() == "mine"
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").touch()
    with pytest.raises(LepbenchError, match="holds other files than a site"):
        write_site(boards, other)
    with pytest.raises(LepbenchError, match="holds no line"):
        write_site(tmp_path / "none", tmp_path / "new")


def test_two_runs_of_a_board_have_the_differences_and_ranks_of_the_paired_test(
    finished: Path, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [read_record(folder) for folder in (finished, other)]
    boards = make_boards(tmp_path / "boards", records[0], 1)
    lines = sort_lines([make_line(record, "verified") for record in records], records[0].protocol.rank_by)
    next(boards.glob("*/*.csv")).write_text(format_lines(list(lines[0]), lines))
    write_site(boards, tmp_path / "site", find_runs([finished.parent, other.parent]))
    page = PageReader((tmp_path / "site" / SUITE).read_text())
    (paired,) = json.loads(page.find("script", type="application/json")[0].text)["paired"]
    (true,) = compare([finished, other], metrics=["faithful_f1"]).differences
    assert (paired["first"], paired["second"]) == (true.first, true.second) == ("tiny", "other")
    assert paired["ends"] == pytest.approx(list(true.interval), abs=1e-6)
    assert paired["p"] == true.p_value
    assert [one.text for one in page.find("td", class_="num rank")] == ["1–2", "1–2"]
    assert any("paired test on the same samples, corrected" in one.text for one in page.find("p"))
    assert site.MOST_COMPARED > 2


def test_a_line_that_the_guard_fails_is_marked_and_stands_last(finished: Path, tmp_path: Path) -> None:
    boards = make_boards(tmp_path / "boards", read_record(finished), 3)
    path = next(boards.glob("*/*.csv"))
    lines, _ = read_lines(path)
    best, *others = sorted(lines, key=lambda line: -float(line["faithful_f1"]))
    found = (Interval(0.18, 0.15, 0.2), Interval(0.07, 0.06, 0.08), Interval(0.1, 0.0, 0.2))
    guarded = [{**best, **write_guard(GuardReport(*found, copied=0.0))}, *others]
    path.write_text(format_lines(list(guarded[0]), sort_lines(guarded, "faithful_f1")))
    write_site(boards, tmp_path / "site")
    page = PageReader((tmp_path / "site" / SUITE).read_text())
    rows = [one for one in page.find("tr") if "data-level" in one.given]
    assert [one.given.get("class") for one in rows[-1:]] == ["failed"]
    assert page.find("td", class_="num rank")[-1].text == "–"
    assert [one.text for one in page.find("strong", class_="bad")] == ["guard failed: caption"]
    gap = page.find("td", class_="num g-guard")
    assert [one.given["data-value"] for one in gap[-4:]] == ["0.1800", "0.0700", "0.1000", "0.0000"]
    model = PageReader((tmp_path / "site" / "models" / f"{best['model']}.html").read_text())
    assert "guard failed: caption" in [one.text for one in model.find("span", class_="badge refused")]


def test_ranks_are_those_that_no_pair_of_intervals_speaks_against() -> None:
    figures = {
        "a": Figure(value=0.9, low=0.85, high=0.95, n=9),
        "b": Figure(value=0.8, low=0.7, high=0.9, n=9),
        "c": Figure(value=0.6, low=0.5, high=0.75, n=9),
        "d": Figure(value=0.1, n=9),
        "e": Figure(value=None, n=9),
    }
    assert rank_by_intervals(figures, "edge_f1_1px") == {"a": (1, 2), "b": (1, 3), "c": (2, 3), "d": (4, 4)}
    assert rank_by_intervals(figures, "chamfer_px") == {"a": (3, 4), "b": (2, 4), "c": (2, 3), "d": (1, 1)}
    assert rank_by_intervals(figures, "vendi") == {}
    assert [write_ranks(one) for one in ((1, 2), (4, 4), None)] == ["1–2", "4", "–"]


def test_ranks_of_two_models_overlap_unless_one_is_ahead() -> None:
    figures = {f"m{n}": Figure(value=n / 7, low=n / 7 - 0.2, high=n / 7 + 0.1, n=9) for n in range(7)}
    ranks = rank_by_intervals(figures, "kid")
    for one, two in combinations(figures, 2):
        apart = figures[one].high < figures[two].low  # type: ignore[operator]
        assert (ranks[one][1] < ranks[two][0]) <= apart
    assert re.fullmatch(r"\d", write_ranks((2, 2)))
