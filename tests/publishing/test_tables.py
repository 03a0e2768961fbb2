"""Tables show what the record holds, and a CSV gives it back."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from lepbench.evaluation.figures import Figure
from lepbench.publishing.cells import format_cell
from lepbench.publishing.flat_figures import format_lines, spread_figures

numbers = st.one_of(st.none(), st.floats(-1e3, 1e3))
figures = st.builds(Figure, value=numbers, low=numbers, high=numbers, n=st.just(64))
names = st.text("abceghx", min_size=1, max_size=4)


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(names, figures, min_size=1))
def test_a_csv_gives_its_figures_back(found: dict[str, Figure]) -> None:
    line = spread_figures(found)
    (back,) = csv.DictReader(io.StringIO(format_lines(list(line), [line])))
    for name, figure in found.items():
        for suffix, number in (("", figure.value), ("_low", figure.low), ("_high", figure.high)):
            if number is None:
                assert back[name + suffix] == ""
            else:
                assert float(back[name + suffix]) == pytest.approx(number, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        (Figure(value=0.12345, low=0.1, high=0.2, n=9), "0.123\n0.100…0.200"),
        (Figure(value=1.5, n=9), "1.500"),
        (Figure(value=None, n=9), "-"),
    ],
)
def test_a_cell_shows_a_figure_over_its_interval(figure: Figure, shown: str) -> None:
    console = Console(width=40)
    with console.capture() as capture:
        console.print(format_cell(figure))
    assert capture.get().rstrip("\n") == shown


def test_a_figure_of_a_set_is_called_by_its_size() -> None:
    figure = Figure(value=0.5, n=64)
    assert spread_figures({"kid": figure, "mask_iou": figure}).keys() >= {"kid_n64", "mask_iou"}
    assert (
        spread_figures({"kid": figure}).keys().isdisjoint(spread_figures({"kid": Figure(value=0.5, n=512)}))
    )
