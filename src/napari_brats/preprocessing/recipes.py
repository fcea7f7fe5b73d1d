"""RECIPES: how a patient's images become a network's input, bound to the weights.

A recipe names the modalities in channel order and the steps in sequence. Checkpoints
store the recipe's name, so that weights and preprocessing cannot be mixed up.

Rows named after a network follow its authors' README; ``<name>-code`` follows their code
where that does something else. All start from axes that point left, posterior, superior (as
BraTS files do) and, unless they resize, from 1 mm voxels, which is what the authors' files
had; both leave a BraTS file untouched.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CheckpointError
from napari_brats.preprocessing.steps import (
    Affine,
    Array,
    ByteRange,
    CropToBrain,
    FitInto,
    MinMax,
    Reorient,
    Resample,
    ResizeTo,
    SlicePercentiles,
    Step,
    Way,
    ZScore,
    chain,
)

BRATS_ORDER = ("flair", "t1ce", "t2", "t1")
NATIVE_ORDER = ("flair", "t1", "t1ce", "t2")


@dataclass(frozen=True)
class Recipe:
    """A named chain of steps.

    Parameters
    ----------
    name, title : str
        Key in `RECIPES`, and one line for people.
    modalities : tuple of str
        Channel order of the network's input.
    steps : tuple of Step
        Applied first to last; every one has an inverse.
    background : float
        What the steps make of voxels outside the brain, for padding windows.
    """

    name: str
    title: str
    modalities: tuple[str, ...]
    steps: tuple[Step, ...]
    background: float = 0.0


@dataclass(frozen=True)
class Prepared:
    """A network's input and the way back to the patient's own grid.

    ``volume`` is float32 (C, X, Y, Z) on the recipe's grid with ``affine``;
    ``way.back`` takes predictions (K, X, Y, Z) on that grid to the patient's grid, and
    ``way.notes`` tells people what was lost on the way.
    """

    volume: Array
    affine: Affine
    way: Way


def recipe_named(name: str) -> Recipe:
    """Return a row of `RECIPES`.

    Raises
    ------
    CheckpointError
        If there is no such recipe; the message lists all.
    """
    try:
        return RECIPES[name]
    except KeyError:
        raise CheckpointError(
            f"unknown recipe {name!r}; this version knows {', '.join(RECIPES)}: "
            "update napari-brats or correct the checkpoint's card"
        ) from None


def prepare(
    recipe: Recipe,
    images: Mapping[str, NDArray[np.float32]],
    affine: Affine,
    missing: Collection[str] = (),
    between: Callable[[], object] | None = None,
) -> Prepared:
    """Stack a patient's modalities in the recipe's order and apply its steps.

    Parameters
    ----------
    recipe : Recipe
        A row of `RECIPES`.
    images : Mapping[str, NDArray[np.float32]]
        (X, Y, Z) each, on one grid; must hold the recipe's modalities.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to patient millimeters (RAS+).
    missing : collection of str
        Modalities to do without, not all: their channels hold the recipe's background, as in
        a training with ``--drop-modality``.
    between : callable, optional
        Called before each step; what it raises, such as `Cancelled`, ends the work.

    Returns
    -------
    Prepared
    """
    present = [n for n, name in enumerate(recipe.modalities) if name not in missing]
    volume = np.stack([np.asarray(images[recipe.modalities[n]], np.float32) for n in present])
    ways = []
    for step in recipe.steps:
        if between is not None:
            between()
        volume, affine, way = step.apply(volume, affine)
        ways.append(way)
    if len(present) < len(recipe.modalities):
        shape = (len(recipe.modalities), *volume.shape[1:])
        whole = np.full(shape, recipe.background, np.float32)
        whole[present] = volume
        volume = whole
    return Prepared(volume, affine, chain(ways))


def _ours(spacing_mm: float) -> tuple[Step, ...]:
    return (Reorient("LPS"), CropToBrain(), ZScore(), Resample(spacing_mm))


_BRATS_GRID = (Reorient("LPS"), Resample(1.0))
_CUBE = (128, 128, 128)
_SLICE_CUBE = (*_BRATS_GRID, MinMax(per_slice=True), FitInto(_CUBE))
_BRAIN_BOX = (160, 192, 160)

RECIPES: Mapping[str, Recipe] = {
    row.name: row
    for row in (
        Recipe("brain-1mm", "brain box, z-score, 1 mm", BRATS_ORDER, _ours(1.0)),
        Recipe("brain-1.25mm", "brain box, z-score, 1.25 mm", BRATS_ORDER, _ours(1.25)),
        Recipe("brain-1.5mm", "brain box, z-score, 1.5 mm", BRATS_ORDER, _ours(1.5)),
        Recipe("brain-2mm", "brain box, z-score, 2 mm", BRATS_ORDER, _ours(2.0)),
        Recipe(
            "dresunet3d",
            "z-score in the brain, whole field resized to 128^3",
            BRATS_ORDER,
            (Reorient("LPS"), ZScore(clip=None), ResizeTo(_CUBE)),
        ),
        Recipe(
            "dresunet3d-code",
            "min-max of every axial slice, central 128^3",
            BRATS_ORDER,
            _SLICE_CUBE,
        ),
        Recipe(
            "dr_unet104",
            "mean 127 and 3 SD to 8 bits, whole axial slices",
            ("flair", "t1ce", "t1", "t2"),
            (*_BRATS_GRID, ByteRange()),
        ),
        Recipe(
            "kermi2018",
            "1-99 % and z-score of every axial slice, background -9, transposed slices",
            NATIVE_ORDER,
            (Resample(1.0), Reorient("PLS"), SlicePercentiles()),
            background=-9.0,
        ),
        Recipe(
            "unet3d",
            "min-max of the volume, central 128^3, no T1",
            ("flair", "t1ce", "t2"),
            (*_BRATS_GRID, MinMax(), FitInto(_CUBE)),
        ),
        Recipe(
            "unet3d-code",
            "min-max of every axial slice, central 128^3, no T1",
            ("flair", "t1ce", "t2"),
            _SLICE_CUBE,
        ),
        Recipe(
            "isensee2017",
            "z-score in the brain, brain box in the middle of 160 x 192 x 160",
            NATIVE_ORDER,
            (*_BRATS_GRID, CropToBrain(), ZScore(clip=None), FitInto(_BRAIN_BOX)),
        ),
        Recipe(
            "isensee2017-code",
            "raw intensities, brain box at the corner of 160 x 192 x 160",
            NATIVE_ORDER,
            (*_BRATS_GRID, CropToBrain(), FitInto(_BRAIN_BOX, anchor="corner")),
        ),
    )
}
