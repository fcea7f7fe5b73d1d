"""`make_patient`: anatomy, tumor and contrast joined into four modalities and their truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.case import MODALITIES
from napari_brats.errors import CaseError
from napari_brats.synthesis.anatomy import CLASSES, Anatomy, Spacing
from napari_brats.synthesis.brain import Box, Brain, Point
from napari_brats.synthesis.contrast import CONTRASTS, Contrasts, paint
from napari_brats.synthesis.deformation import (
    NOMINAL_MM,
    depth_mm,
    draw_pose,
    push_aside,
    sample,
    source_coordinates,
    voxels_of,
)
from napari_brats.synthesis.distractors import draw_distractors
from napari_brats.synthesis.fields import Field
from napari_brats.synthesis.kinds import Lesion, draw_kind, draw_lesion, kind_of
from napari_brats.synthesis.scanner import scan
from napari_brats.synthesis.tumor import grow, no_growth

BRATS_SHAPE = (240, 240, 155)
BRATS_AFFINE = np.array(
    [[-1.0, 0, 0, 0], [0, -1.0, 0, 239.0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]], dtype=np.float64
)
"""Grid of every BraTS file: 1 mm, LPS."""
BRATS_MIDDLE = (120, 123, 72)
"""Voxel about which brains lie in BraTS files."""

_ROOM = 1.2
_MARGIN = 2
_PUSH = (0.2, 0.75)
_PUSH_OF_DEPTH = 0.4
_SPACING_MM = (0.5, 8.0)
_TENTORIUM = 0.36
_BELOW_TENTORIUM = 0.06
_CANDIDATES = 3000
_NEIGHBORS = 24
_NEIGHBORHOOD_MM = 7.0


@dataclass(frozen=True)
class SyntheticPatient:
    """A made patient.

    Parameters
    ----------
    images : dict of NDArray[np.float32]
        (X, Y, Z) for each of `MODALITIES`, scanner-like intensities, 0 outside the brain and
        above 0 inside; axes point LPS.
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes: the truth.
    affine : NDArray[np.float64], shape (4, 4)
        Voxel to mm, RAS+.
    kind : str
        Row of `KINDS`.
    """

    images: dict[str, NDArray[np.float32]]
    tissues: NDArray[np.uint8]
    affine: NDArray[np.float64]
    kind: str


def make_patient(
    anatomy: Anatomy,
    seed: int,
    *,
    spacing_mm: float = 1.0,
    kind: str | None = None,
    contrasts: Contrasts = CONTRASTS,
) -> SyntheticPatient:
    """Make a patient; the same arguments give the same voxels.

    Parameters
    ----------
    anatomy : Anatomy
        The healthy brain to start from.
    seed : int
        Decides everything random; not negative.
    spacing_mm : float
        Voxel size of the result, 0.5 to 8.
    kind : str, optional
        Row of `KINDS`; drawn by frequency if None.
    contrasts : Mapping
        Brightness of the tissues, as in `CONTRASTS`: another table is another scanner.

    Returns
    -------
    SyntheticPatient
        Cropped to the brain with a small margin.

    Raises
    ------
    CaseError
        If an argument is out of range.
    """
    if seed < 0 or not _SPACING_MM[0] <= spacing_mm <= _SPACING_MM[1]:
        raise CaseError(
            f"cannot make a patient with seed {seed} at {spacing_mm:g} mm; expected a seed of 0 "
            f"or more and a voxel size of {_SPACING_MM[0]:g} to {_SPACING_MM[1]:g} mm"
        )
    rng = np.random.default_rng(seed)
    kind = kind or draw_kind(rng)
    row = kind_of(kind)
    spacing = (spacing_mm, spacing_mm, spacing_mm)
    x, y, z = (int(np.ceil(side * _ROOM / spacing_mm)) for side in NOMINAL_MM)
    places = source_coordinates(rng, draw_pose(rng, anatomy), (x, y, z), spacing)
    foci = int(rng.integers(row.foci[0], row.foci[1] + 1))
    centers = _draw_centers(rng, anatomy, places, foci)
    lesions = [draw_lesion(rng, row, at, later=at != centers[0]) for at in centers]
    _make_room(rng, anatomy, places, lesions, spacing)
    brain = sample(anatomy, places, spacing)
    growth = no_growth(brain)
    for lesion in lesions:
        grow(rng, lesion, brain, growth)
    extras = draw_distractors(rng, brain)
    images = {
        modality: scan(rng, paint(rng, modality, brain, growth, extras, contrasts), brain)
        for modality in MODALITIES
    }
    box = _brain_box(brain)
    return SyntheticPatient(
        {modality: np.ascontiguousarray(image[box]) for modality, image in images.items()},
        np.ascontiguousarray(growth.tissues[box]),
        np.diag([-spacing_mm, -spacing_mm, spacing_mm, 1.0]),
        kind,
    )


def in_brats_frame(patient: SyntheticPatient) -> SyntheticPatient:
    """Put a patient of 1 mm voxels into the 240 x 240 x 155 grid of BraTS files.

    What does not fit (the lowest brain stem of a tall brain) is cut off, as in BraTS.
    """
    if abs(patient.affine[2, 2] - 1) > 1e-6:
        raise CaseError(f"the BraTS grid has 1 mm voxels, not {patient.affine[2, 2]:g} mm")
    size = np.array(patient.tissues.shape)
    start = np.array(BRATS_MIDDLE) - size // 2
    first = np.maximum(start, 0)
    last = np.minimum(start + size, BRATS_SHAPE)
    target = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
    source = tuple(slice(int(a), int(b)) for a, b in zip(first - start, last - start, strict=True))
    images = {name: np.zeros(BRATS_SHAPE, np.float32) for name in patient.images}
    for name, image in patient.images.items():
        images[name][target] = image[source]
    tissues = np.zeros(BRATS_SHAPE, np.uint8)
    tissues[target] = patient.tissues[source]
    return SyntheticPatient(images, tissues, BRATS_AFFINE.copy(), patient.kind)


def _make_room(
    rng: np.random.Generator,
    anatomy: Anatomy,
    places: Field,
    lesions: list[Lesion],
    spacing_mm: Spacing,
) -> None:
    """Push the tissue around each core aside, less where the skull is near."""
    for lesion in lesions:
        x, y, z = (round(at) for at in lesion.center)
        push = rng.uniform(*_PUSH) * lesion.radius_mm * lesion.core
        room = depth_mm(anatomy, places[:, x, y, z, None])[0]
        push_aside(places, lesion.center, min(push, _PUSH_OF_DEPTH * room), spacing_mm)


def _brain_box(brain: Brain) -> Box:
    x, y, z = (
        slice(max(side.start - _MARGIN, 0), side.stop + _MARGIN)
        for side in ndimage.find_objects(brain.mask.astype(np.int8))[0]
    )
    return x, y, z


def _draw_centers(
    rng: np.random.Generator, anatomy: Anatomy, places: Field, count: int
) -> list[Point]:
    """Draw voxels deep in the white matter rather than at the brain's rim."""
    flat = rng.integers(0, places[0].size, _CANDIDATES)
    around = rng.normal(0, _NEIGHBORHOOD_MM, (3, 1, _NEIGHBORS))
    around[..., 0] = 0
    index = voxels_of(anatomy, places.reshape(3, -1)[:, flat, None] + around)
    white, grey = (
        ndimage.map_coordinates(
            anatomy.fractions[CLASSES.index(name)], index, order=0, output=np.float64
        )
        for name in ("white", "cortex")
    )
    weight = (white[:, 0] + 0.3 * grey[:, 0]) * (white.mean(1) + 0.35 * grey.mean(1)) ** 2
    # Adult gliomas are rare below the tentorium.
    weight *= np.where(index[2, :, 0] > _TENTORIUM * anatomy.shape[2], 1.0, _BELOW_TENTORIUM)
    chosen = rng.choice(_CANDIDATES, count, p=weight / weight.sum(), replace=False)
    at = np.stack(np.unravel_index(flat[chosen], places.shape[1:]), axis=1)
    return [(float(x), float(y), float(z)) for x, y, z in at]
