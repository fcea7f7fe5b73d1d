"""MODELS: one row a network. Menus, ``--model``, docs and the network test derive from it.

A sixth network is one file beside this one and one row here. Importing this module does
not import torch; `create_model` does.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from napari_brats.errors import CheckpointError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PublishedDice:
    """Mean Dice that others published; never our measurement.

    ``network`` says what was scored: the paper's own network may differ from the code that
    this row follows.
    """

    dataset: str
    network: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class ModelSpec:
    """One network.

    Parameters
    ----------
    name, title : str
        Key (as in ``--model``), and the name people know.
    ndim : int
        2 for slice networks, 3 for volume networks.
    factory : str
        ``"module:Class"`` inside `napari_brats.networks`.
    sizes : Mapping[str, Mapping[str, Any]]
        Constructor arguments for ``"paper"`` and ``"lite"``.
    parameters : Mapping[str, int]
        Trainable parameters of each size.
    outputs : Mapping[str, str]
        Row of `OUTPUTS` that each size's logits mean.
    multiple : int
        Spatial sizes must be multiples of this; the caller pads. 1: any size.
    native : tuple of int
        The published input's spatial size.
    modalities : tuple of str
        The published channel order.
    recipe : str
        The published preprocessing (row of RECIPES); a checkpoint names its own.
    paper : str
        Authors, year, DOI or arXiv number.
    published : tuple of PublishedDice
        Results that the authors state; empty if they state none.
    """

    name: str
    title: str
    ndim: int
    factory: str
    sizes: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, int]
    outputs: Mapping[str, str]
    multiple: int
    native: tuple[int, ...]
    modalities: tuple[str, ...]
    recipe: str
    paper: str
    published: tuple[PublishedDice, ...] = ()


DEFAULT_MODEL = "dresunet3d"
"""Whose bundled weights are used where nobody chooses."""

_SOFTMAX = {"paper": "tissues", "lite": "regions"}

MODELS: Mapping[str, ModelSpec] = {
    spec.name: spec
    for spec in (
        ModelSpec(
            name="dresunet3d",
            title="dResU-Net",
            ndim=3,
            factory="dresunet3d:DResUNet3D",
            # Dropout before batch norm shifts its variance (Li et al. 2019, arXiv:1801.05134).
            sizes={
                "paper": {},
                "lite": {"width": 8, "out_channels": 3, "block_dropout": 0, "level_dropout": 0},
            },
            parameters={"paper": 6_487_620, "lite": 1_623_707},
            outputs=_SOFTMAX,
            multiple=16,
            native=(128, 128, 128),
            modalities=("flair", "t1ce", "t2", "t1"),
            recipe="dresunet3d",
            paper="Raza et al. 2023, doi:10.1016/j.bspc.2022.103861",
        ),
        ModelSpec(
            name="dr_unet104",
            title="DR-Unet104",
            ndim=2,
            factory="dr_unet104:DRUNet104",
            sizes={
                "paper": {},
                "lite": {"widths": (8, 16, 24, 32, 48, 64), "out_channels": 3, "dropout": 0},
            },
            parameters={"paper": 76_431_716, "lite": 2_978_771},
            outputs=_SOFTMAX,
            multiple=1,
            native=(240, 240),
            modalities=("flair", "t1ce", "t1", "t2"),
            recipe="dr_unet104",
            paper="Colman et al. 2020, arXiv:2011.02840",
            published=(
                PublishedDice(
                    "BraTS 2020 validation",
                    "DR-Unet104",
                    {"WT": 0.8862, "TC": 0.6721, "ET": 0.6756},
                ),
                PublishedDice(
                    "BraTS 2020 test", "DR-Unet104", {"WT": 0.8673, "TC": 0.7983, "ET": 0.7514}
                ),
            ),
        ),
        ModelSpec(
            name="kermi2018",
            title="Kermi's residual U-Net",
            ndim=2,
            factory="kermi2018:Kermi2018",
            sizes={"paper": {}, "lite": {"width": 24, "out_channels": 3}},
            parameters={"paper": 10_153_092, "lite": 1_431_387},
            outputs=_SOFTMAX,
            multiple=8,
            native=(240, 240),
            modalities=("flair", "t1", "t1ce", "t2"),
            recipe="kermi2018",
            paper="Kermi et al. 2018, doi:10.1007/978-3-030-11726-9_4",
            published=(
                PublishedDice(
                    "BraTS 2018 validation",
                    "Kermi's residual U-Net",
                    {"WT": 0.868, "TC": 0.805, "ET": 0.783},
                ),
            ),
        ),
        ModelSpec(
            name="unet3d",
            title="plain 3D U-Net (baseline)",
            ndim=3,
            factory="unet3d:UNet3D",
            # Our own recipes give four modalities, the published one three.
            sizes={
                "paper": {},
                "lite": {"width": 8, "in_channels": 4, "out_channels": 3, "dropout_scale": 0},
            },
            parameters={"paper": 5_645_828, "lite": 1_412_435},
            outputs=_SOFTMAX,
            multiple=16,
            native=(128, 128, 128),
            modalities=("flair", "t1ce", "t2"),
            recipe="unet3d",
            paper="Çiçek et al. 2016, arXiv:1606.06650; layers as in CV-13 BraTS2020 (2023)",
        ),
        ModelSpec(
            name="isensee2017",
            title="Isensee's 3D U-Net of 2017 (Etheredge)",
            ndim=3,
            factory="isensee2017:Isensee2017",
            sizes={"paper": {}, "lite": {"width": 8, "dropout": 0}},
            parameters={"paper": 4_653_261, "lite": 2_069_569},
            outputs={"paper": "labels", "lite": "regions"},
            multiple=16,
            native=(160, 192, 160),
            modalities=("flair", "t1", "t1ce", "t2"),
            recipe="isensee2017",
            paper="Isensee et al. 2017, arXiv:1802.10508; layers as in Etheredge 2019",
            published=(
                PublishedDice(
                    "BraTS 2017 validation",
                    "the paper's own network",
                    {"WT": 0.896, "TC": 0.797, "ET": 0.732},
                ),
                PublishedDice(
                    "BraTS 2017 test",
                    "the paper's own network",
                    {"WT": 0.858, "TC": 0.775, "ET": 0.647},
                ),
            ),
        ),
    )
}


def model_spec(name: str) -> ModelSpec:
    """Return a row of `MODELS`; CheckpointError lists the choices for an unknown name."""
    try:
        return MODELS[name]
    except KeyError:
        raise CheckpointError(
            f"unknown model {name!r}; choose one of {', '.join(MODELS)}"
        ) from None


def model_options(name: str, size: str = "paper", **options: Any) -> dict[str, Any]:
    """Return the constructor arguments of a size, overridden by ``options``.

    Raises
    ------
    CheckpointError
        If the model or the size is unknown.
    """
    spec = model_spec(name)
    if size not in spec.sizes:
        raise CheckpointError(
            f"{name!r} has no size {size!r}; choose one of {', '.join(spec.sizes)}"
        )
    return {**spec.sizes[size], **options}


def create_model(name: str, size: str = "paper", **options: Any) -> "nn.Module":
    """Build a network with random weights.

    Parameters
    ----------
    name : str
        Key in `MODELS`.
    size : {"paper", "lite"}
        The published width, or ours for bundled weights.
    **options
        Constructor arguments that override the size's, such as ``in_channels``.

    Returns
    -------
    torch.nn.Module
        (N, C, ...) float images to (N, K, ...) logits, with attributes ``in_channels``,
        ``out_channels`` and ``multiple``.

    Raises
    ------
    CheckpointError
        If the model or the size is unknown.
    """
    arguments = model_options(name, size, **options)
    module, _, attribute = model_spec(name).factory.partition(":")
    factory = getattr(import_module(f"napari_brats.networks.{module}"), attribute)
    network: nn.Module = factory(**arguments)
    return network
