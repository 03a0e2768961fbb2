from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from lepbench.backbones import Conditioning


def told(count: int, seed: int = 0) -> Conditioning:
    """Three named tensors of different ranks."""
    torch.manual_seed(seed)
    shapes = {"embeddings": (count, 5, 3), "pooled": (count, 4), "guidance": (count,)}
    return Conditioning({name: torch.randn(shape) for name, shape in shapes.items()})


@given(st.integers(1, 6), st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_rows_are_taken_of_every_tensor(count: int, rows: list[int]) -> None:
    whole, places = told(count), torch.tensor([row % count for row in rows])
    part = whole.take(places)
    assert len(part) == len(rows)
    for name, tensor in whole.tensors.items():
        for at, row in enumerate(places):
            assert torch.equal(part[name][at], tensor[row])


@given(st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_parts_put_together_come_apart_again(counts: list[int]) -> None:
    parts = [told(count, seed) for seed, count in enumerate(counts)]
    whole, start = Conditioning.cat(parts), 0
    assert len(whole) == sum(counts)
    for part in parts:
        again = whole.take(torch.arange(start, start + len(part)))
        assert all(torch.equal(again[name], part[name]) for name in part.tensors)
        start += len(part)


def test_one_becomes_many_without_a_copy() -> None:
    one = told(1)
    many = one.expand(7)
    assert len(many) == 7
    for name, tensor in many.tensors.items():
        assert tensor.data_ptr() == one[name].data_ptr()
        assert all(torch.equal(row, one[name][0]) for row in tensor)


def test_dtype_and_names_change_what_they_say() -> None:
    half = told(2).to("cpu", torch.float16)
    assert {tensor.dtype for tensor in half.tensors.values()} == {torch.float16}
    more = half.with_tensor("mask", torch.ones(2, 5))
    assert set(more.tensors) - set(half.tensors) == {"mask"}
    assert "mask" not in half.tensors
