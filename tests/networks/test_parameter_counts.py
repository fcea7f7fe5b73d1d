"""Every network has exactly the published parameters, as a whole and stage by stage."""

import pytest
import torch
from torch import nn

from napari_brats.networks.blocks import parameter_count
from napari_brats.networks.registry import MODELS, create_model

EVERY = pytest.mark.parametrize("name", MODELS)
SIZES = pytest.mark.parametrize("size", ["paper", "lite"])
PAPER_COUNTS = {
    "dresunet3d": 6_487_620,
    "dr_unet104": 76_431_716,
    "kermi2018": 10_153_092,
    "unet3d": 5_645_828,
    "isensee2017": 4_653_261,
}
# Trainable parameters of each stage, as the papers' code has them.
STAGES = {
    "dresunet3d": {
        "encoder": (8_848, 42_272, 168_512, 672_896),
        "bottleneck": 2_655_744,
        "up": (884_864, 221_248, 55_328, 13_840),
        "decoder": (1_327_872, 332_160, 83_136, 20_832),
        "head": 68,
    },
    "dr_unet104": {
        "encoder": (8_512, 60_096, 236_928, 1_502_464, 16_055_296, 19_435_520),
        "up": (18_875_392, 2_359_808, 590_080, 147_584, 36_928),
        "decoder": (12_851_712, 3_214_592, 804_480, 201_536, 50_592),
        "head": 196,
    },
    "kermi2018": {
        "stem": 1_088,
        "encoder": (74_240, 295_936, 1_181_696),
        "down": (32_896, 131_328, 524_800),
        "bottom": 4_722_688,
        "up": (524_544, 131_200, 32_832),
        "decoder": (1_903_360, 476_544, 119_488),
        "head": 452,
    },
    "unet3d": {
        "encoder": (8_240, 41_536, 166_016, 663_808),
        "bottom": 2_654_720,
        "up": (262_272, 65_600, 16_416, 4_112),
        "decoder": (1_327_360, 331_904, 83_008, 20_768),
        "head": 68,
    },
    "isensee2017": {
        "encoder": (
            1_332 + 7_848,
            7_848 + 31_248,
            31_248 + 124_704,
            124_704 + 498_240,
            498_240 + 1_991_808,
        ),
        "up": (497_952, 124_560, 31_176, 7_812),
        "localization": (507_456, 127_008, 31_824, 7_992),
        "heads": (48 * 3 + 3, 24 * 3 + 3, 12 * 3 + 3),
    },
}
# Conv2d or Conv3d, transposed.
CONVOLUTIONS = {
    "dresunet3d": (4 * 3 + 2 + 4 * 2 + 1, 4),
    "dr_unet104": (115, 5),
    "kermi2018": (1 + 4 * 2 + 3 + 3 + 3 * 3 + 1, 0),
    "unet3d": (4 * 2 + 2 + 4 * 2 + 1, 4),
    "isensee2017": (5 * 3 + 4 + 4 * 2 + 3, 0),
}


def on_meta(name, size="paper", **options):
    """Build a network that has shapes but no memory."""
    with torch.device("meta"):
        return create_model(name, size, **options).eval()


@EVERY
@SIZES
def test_parameter_count(name, size):
    """The row tells the truth, and the paper size has the published count."""
    assert parameter_count(on_meta(name, size)) == MODELS[name].parameters[size]
    assert MODELS[name].parameters["paper"] == PAPER_COUNTS[name]


def test_parameter_count_with_normalized_heads():
    """Isensee's network as in the Keras code has two values a head and channel more."""
    network = on_meta("isensee2017", normalized_heads=True)
    assert parameter_count(network) == 4_653_279
    assert [parameter_count(head) for head in network.heads] == [153, 81, 45]


@EVERY
def test_parameter_count_of_every_stage(name):
    """Each stage has the published count, and no parameter lies outside the stages."""
    network = on_meta(name)
    found = {}
    for stage in STAGES[name]:
        module = getattr(network, stage)
        several = isinstance(module, nn.ModuleList)
        found[stage] = tuple(map(parameter_count, module)) if several else parameter_count(module)
    assert found == STAGES[name]
    counts = [sum(value) if isinstance(value, tuple) else value for value in found.values()]
    assert sum(counts) == PAPER_COUNTS[name]


@EVERY
def test_number_of_convolutions(name):
    """As many convolutions and transposed convolutions as published."""
    modules = list(on_meta(name).modules())
    plain = sum(isinstance(module, nn.Conv2d | nn.Conv3d) for module in modules)
    transposed = sum(isinstance(m, nn.ConvTranspose2d | nn.ConvTranspose3d) for m in modules)
    assert (plain, transposed) == CONVOLUTIONS[name]
