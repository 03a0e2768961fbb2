from __future__ import annotations

import pytest
import torch
from torch import nn

from lepbench.backbones import Backbone, Conditioning
from lepbench.backbones.taps import collect_taps, find_module
from lepbench.errors import LepbenchError


def hooks(module: nn.Module) -> int:
    return sum(len(part._forward_hooks) for part in module.modules())


def caption(count: int) -> Conditioning:
    return Conditioning({"embeddings": torch.randn(count, 32, 32)})


def test_the_last_tap_of_mini_is_what_the_output_head_reads(tiny_backbone: Backbone) -> None:
    unet = tiny_backbone.denoiser
    with torch.no_grad():
        out, features = tiny_backbone.read(torch.randn(2, 4, 16, 16), 500, caption(2), tiny_backbone.taps)
        again = unet.conv_out(unet.conv_act(unet.conv_norm_out(features["up_blocks[2].resnets[-1]"])))
    assert torch.allclose(out, again, atol=1e-6)
    assert tuple(features) == tiny_backbone.taps


def test_listening_changes_nothing(tiny_backbone: Backbone) -> None:
    latents, conditioning = torch.randn(2, 4, 8, 24), caption(2)
    with torch.no_grad():
        noise_component, _ = tiny_backbone.read(latents, 7, conditioning, tiny_backbone.taps)
        assert torch.equal(noise_component, tiny_backbone.predict(latents, 7, conditioning))


def test_paths_lead_to_the_modules_python_names(tiny_backbone: Backbone) -> None:
    unet = tiny_backbone.denoiser
    assert find_module(unet, "down_blocks[1].attentions[-1]") is unet.down_blocks[1].attentions[-1]
    assert find_module(unet, "mid_block.resnets[0]") is unet.mid_block.resnets[0]
    assert find_module(unet, "up_blocks[0]") is unet.up_blocks[0]


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
def test_a_path_that_leads_nowhere_is_named_and_hooks_nothing(
    tiny_backbone: Backbone, path: str, part: str
) -> None:
    before = hooks(tiny_backbone.denoiser)
    with pytest.raises(LepbenchError) as caught, collect_taps(tiny_backbone.denoiser, ["up_blocks[0]", path]):
        pass
    assert path in str(caught.value)
    assert part in str(caught.value)
    assert hooks(tiny_backbone.denoiser) == before


def test_no_hook_outlives_an_exception(tiny_backbone: Backbone) -> None:
    unet = tiny_backbone.denoiser
    before = hooks(unet)

    def fail() -> None:
        with collect_taps(unet, tiny_backbone.taps):
            assert hooks(unet) == before + 9
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail()
    assert hooks(unet) == before
    # Nor one inside the network: captions of a width it does not take.
    conditioning = Conditioning({"embeddings": torch.randn(1, 5, 31)})
    with pytest.raises(RuntimeError):
        tiny_backbone.read(torch.randn(1, 4, 16, 16), 7, conditioning, tiny_backbone.taps)
    assert hooks(unet) == before


def test_of_a_module_that_returns_a_tuple_the_first_member_is_kept(tiny_backbone: Backbone) -> None:
    both = ["down_blocks[2]", "down_blocks[2].attentions[-1]"]
    with torch.no_grad():
        _, found = tiny_backbone.read(torch.randn(1, 4, 16, 16), 10, caption(1), both)
    # The last down block has no downsampler, so it ends with its attention.
    assert torch.equal(*found.values())


def test_features_are_in_the_graph_when_one_is_recorded(tiny_backbone: Backbone) -> None:
    latents = torch.randn(1, 4, 16, 16, requires_grad=True)
    _, features = tiny_backbone.read(latents, 10, caption(1), tiny_backbone.taps)
    for name, feature in features.items():
        (gradient,) = torch.autograd.grad(feature.sum(), latents, retain_graph=True)
        assert gradient.abs().sum() > 0, name
