from __future__ import annotations

import pytest
import torch
from torch import nn

from lepbench.backbones.taps import LAYOUTS, module_at, tapped, taps_of
from lepbench.errors import LepbenchError

# LDM's names of the paper's layers, their channels and resolution for a 64x64 latent of SD 1.x.
PAPER = (
    ("input 2", 320, 64),
    ("input 4", 640, 32),
    ("input 8", 1280, 16),
    ("middle 0", 1280, 8),
    ("middle 1", 1280, 8),
    ("middle 2", 1280, 8),
    ("output 2", 1280, 16),
    ("output 4", 1280, 16),
    ("output 8", 640, 64),
)


def hooks(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) for part in module.modules())


def test_positions_of_stable_diffusion_are_the_papers() -> None:
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(
            block_out_channels=(320, 640, 1280, 1280),
            cross_attention_dim=768,
            attention_head_dim=8,
            sample_size=64,
        )
        assert sum(p.numel() for p in unet.parameters()) == 859_520_964
        spec = taps_of(unet.config)
        with tapped(unet, spec.positions) as features:
            unet(torch.empty(1, 4, 64, 64), torch.zeros(1), torch.empty(1, 77, 768))
    assert [features[p].shape[1:] for p in spec.positions] == [(c, s, s) for _, c, s in PAPER]
    assert sum(features[p].shape[1] for p in spec.positions) == 9280


def test_the_last_tap_of_mini_is_what_the_output_head_reads(tiny_backbone) -> None:
    unet = tiny_backbone.unet
    latents, text = torch.randn(2, 4, 16, 16), torch.randn(2, 32, 32)
    with torch.no_grad(), tapped(unet, tiny_backbone.taps.positions) as features:
        out = tiny_backbone.predict(latents, 500, text)
        again = unet.conv_out(unet.conv_act(unet.conv_norm_out(features["up_blocks[2].resnets[-1]"])))
    assert torch.allclose(out, again, atol=1e-6)
    assert set(features) == set(tiny_backbone.taps.positions)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_every_layout_names_nine_positions(layout) -> None:
    assert len(set(layout.positions)) == 9


def test_paths_lead_to_the_modules_python_names(tiny_backbone) -> None:
    unet = tiny_backbone.unet
    assert module_at(unet, "down_blocks[1].attentions[-1]") is unet.down_blocks[1].attentions[-1]
    assert module_at(unet, "mid_block.resnets[0]") is unet.mid_block.resnets[0]
    assert module_at(unet, "up_blocks[0]") is unet.up_blocks[0]


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("down_blocks[9]", "down_blocks[9]"),
        ("mid_block.nothing[0]", "nothing[0]"),
        ("up blocks", "up blocks"),
        ("mid_block.resnets[x]", "resnets[x]"),
        ("conv_out.weight[0]", "not a module"),
    ],
)
def test_a_path_that_leads_nowhere_is_named_and_hooks_nothing(tiny_backbone, path: str, part: str) -> None:
    before = hooks(tiny_backbone.unet)
    with pytest.raises(LepbenchError) as caught, tapped(tiny_backbone.unet, ["up_blocks[0]", path]):
        pass
    assert path in str(caught.value)
    assert part in str(caught.value)
    assert hooks(tiny_backbone.unet) == before


def test_no_hook_outlives_an_exception(tiny_backbone) -> None:
    unet = tiny_backbone.unet
    before = hooks(unet)

    def fail() -> None:
        with tapped(unet, tiny_backbone.taps.positions):
            assert hooks(unet) == before + 9
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert hooks(unet) == before


def test_of_a_module_that_returns_a_tuple_the_first_member_is_kept(tiny_backbone) -> None:
    with (
        torch.no_grad(),
        tapped(tiny_backbone.unet, ["down_blocks[2]", "down_blocks[2].attentions[-1]"]) as found,
    ):
        tiny_backbone.predict(torch.randn(1, 4, 16, 16), 10, torch.randn(1, 32, 32))
    # The last down block has no downsampler, so it ends with its attention.
    assert torch.equal(found["down_blocks[2]"], found["down_blocks[2].attentions[-1]"])


def test_features_are_in_the_graph_when_one_is_recorded(tiny_backbone) -> None:
    latents = torch.randn(1, 4, 16, 16, requires_grad=True)
    with tapped(tiny_backbone.unet, tiny_backbone.taps.positions) as features:
        tiny_backbone.predict(latents, 10, torch.randn(1, 32, 32))
    for name, feature in features.items():
        (gradient,) = torch.autograd.grad(feature.sum(), latents, retain_graph=True)
        assert gradient.abs().sum() > 0, name


def test_an_unknown_layout_is_one_line() -> None:
    with pytest.raises(LepbenchError, match=r"no taps are known .* laid out as one of: mini, sd1"):
        taps_of({"down_block_types": ("DownBlock2D",), "layers_per_block": 3})
