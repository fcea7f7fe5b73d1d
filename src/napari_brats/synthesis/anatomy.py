"""`Anatomy`: a healthy brain as tissue fractions, made from a FreeSurfer-style label map.

One code a structure becomes a few tissue classes whose fractions add up to 1 inside the
brain, so that partial volume at the borders comes for free.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.errors import CaseError
from napari_brats.preprocessing.steps import Reorient, spacing_of
from napari_brats.synthesis.stripping import closed_brain, fissures
from napari_brats.volumes import read_volume

Spacing = tuple[float, float, float]

CLASSES = ("csf", "ventricle", "choroid", "cortex", "deep", "stem", "white")
"""Tissue classes of a healthy brain, in the order of `Anatomy.fractions`."""

CLASS_CODES: Mapping[str, tuple[int, ...]] = {
    "csf": (24, 122, 257, 258),
    "ventricle": (4, 5, 14, 15, 43, 44, 72, 75, 76),
    # 136, 137, 163 and 164 are the choroid plexus in SynthSeg's training maps.
    "choroid": (31, 63, 136, 137, 163, 164),
    "cortex": (3, 8, 17, 18, 19, 20, 42, 47, 53, 54, 55, 56, 172, 173, 174),
    "deep": (9, 10, 11, 12, 26, 48, 49, 50, 51, 58),
    "stem": (13, 16, 27, 28, 52, 59, 60, 85, 170, 171, 175),
    "white": (2, 7, 25, 30, 41, 46, 57, 62, 77, 78, 79, 80, 81, 82, 192, *range(251, 256)),
}
"""Codes of FreeSurfer's color table that belong to each class."""

SHEETS = ((3,), (42,), (8, 47))
"""Cortex of the left and right hemisphere and the cerebellum: CSF lies between them."""

FIRST_EXTRACEREBRAL = 500
MARGIN = 3
"""Voxels around the brain in `Anatomy.fractions`."""

_MIN_BRAIN_ML = 300.0
_UNKNOWN = 255
_MOSTLY = 0.8
_SOFTNESS_MM = 0.55


@dataclass(frozen=True)
class Anatomy:
    """One healthy brain.

    Parameters
    ----------
    name : str
        Where it comes from.
    fractions : NDArray[np.uint8], shape (7, X, Y, Z)
        Share of each of `CLASSES` in a voxel, 255 = all of it; the sum over the classes is
        about 255 well inside the brain and 0 outside. Axes point left, posterior, superior
        (LPS), with `MARGIN` voxels around the brain.
    spacing_mm : tuple of float
        Voxel size along X, Y, Z.
    """

    name: str
    fractions: NDArray[np.uint8]
    spacing_mm: Spacing

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along X, Y, Z."""
        _, x, y, z = self.fractions.shape
        return x, y, z

    @property
    def brain_mm(self) -> NDArray[np.float64]:
        """Size of the brain's box along X, Y, Z in mm, shape (3,)."""
        size: NDArray[np.float64] = (np.array(self.shape) - 2 * MARGIN) * np.array(self.spacing_mm)
        return size


def load_anatomy(path: str | Path) -> Anatomy:
    """Read a FreeSurfer-style label map.

    Parameters
    ----------
    path : str or Path
        NIfTI file with FreeSurfer codes (``aseg``, ``aparc+aseg``, SynthSeg, ...), in any
        orientation and voxel size.

    Returns
    -------
    Anatomy

    Raises
    ------
    CaseError
        If the file cannot be read or holds no brain in these codes.
    """
    volume = read_volume(path)
    data, affine, _ = Reorient("LPS").apply(volume.data[None], volume.affine)
    x, y, z = (float(step) for step in spacing_of(affine))
    labels = np.nan_to_num(data[0], nan=-1.0, posinf=-1.0, neginf=-1.0)
    if not np.array_equal(labels, data[0]) or not np.array_equal(labels, np.rint(labels)):
        raise CaseError(
            f"{str(path)!r} holds fractions or values that are not finite, expected the whole "
            "numbers of a FreeSurfer-style label map; an image or a probability map does not do"
        )
    return anatomy_from_labels(labels.astype(np.int32), (x, y, z), str(path))


def anatomy_from_labels(
    labels: NDArray[np.integer[Any]], spacing_mm: Spacing, name: str = "labels"
) -> Anatomy:
    """Make an anatomy from FreeSurfer codes.

    Parameters
    ----------
    labels : NDArray, shape (X, Y, Z), integer
        Codes; axes point LPS.
    spacing_mm : tuple of float
        Voxel size.
    name : str
        For messages.

    Raises
    ------
    CaseError
        If most codes are unknown or there is less than 300 ml of brain in them.
    """
    if labels.ndim != 3:
        raise CaseError(f"{name!r} has the shape {labels.shape}; expected a 3D label map")
    _require_known_codes(labels, name)
    classes = classes_of(labels, spacing_mm)
    _require_brain(float((classes > 1).sum() * np.prod(spacing_mm) / 1000), name)
    shares = (classes == index + 1 for index in range(len(CLASSES)))
    return anatomy_from_shares(shares, classes > 0, spacing_mm, name)


def anatomy_from_shares(
    shares: Iterable[NDArray[Any]], mask: NDArray[np.bool_], spacing_mm: Spacing, name: str
) -> Anatomy:
    """Make an anatomy from one share map a class.

    Parameters
    ----------
    shares : iterable of NDArray, each (X, Y, Z), 0 to 1
        In the order of `CLASSES`; axes point LPS.
    mask : NDArray[np.bool_], shape (X, Y, Z)
        The brain, whose box is cut out.
    spacing_mm : tuple of float
        Voxel size.
    name : str
        Where it comes from.
    """
    box = ndimage.find_objects(mask.astype(np.int8))[0]
    sigma = [_SOFTNESS_MM / step for step in spacing_mm]
    size = tuple(side.stop - side.start + 2 * MARGIN for side in box)
    fractions = np.empty((len(CLASSES), *size), np.uint8)
    for index, share in enumerate(shares):
        whole = np.pad(share[box].astype(np.float32) * 255, MARGIN)
        fractions[index] = np.rint(ndimage.gaussian_filter(whole, sigma, truncate=3))
    return Anatomy(name, fractions, spacing_mm)


def classes_of(labels: NDArray[np.integer[Any]], spacing_mm: Spacing) -> NDArray[np.uint8]:
    """Translate FreeSurfer codes to 1 + index into `CLASSES`; 0 outside the brain.

    Extra-cerebral codes (500 and above, negative ones too) are dropped; other unknown codes
    take the class of the nearest known voxel. CSF stays only close to the closed brain, as
    skull stripping leaves it; gaps in the closed brain and between hemispheres become CSF.
    """
    table = np.full(FIRST_EXTRACEREBRAL, _UNKNOWN, np.uint8)
    table[0] = 0
    for index, name in enumerate(CLASSES):
        table[list(CLASS_CODES[name])] = index + 1
    found = table[np.where((labels >= 0) & (labels < FIRST_EXTRACEREBRAL), labels, 0)]
    unknown = found == _UNKNOWN
    if unknown.any() and not unknown.all():
        nearest = ndimage.distance_transform_edt(
            (found == 0) | unknown, return_distances=False, return_indices=True
        )
        found[unknown] = found[tuple(axis[unknown] for axis in nearest)]
    solid = found > 1
    if not solid.any():
        return np.zeros_like(found)
    mask = closed_brain(solid, spacing_mm)
    found[(found == 1) & ~mask] = 0
    found[(found == 0) & mask] = 1
    found[fissures([np.isin(labels, sheet) for sheet in SHEETS])] = 1
    return found


def _require_known_codes(labels: NDArray[np.integer[Any]], name: str) -> None:
    codes = labels[(labels > 0) & (labels < FIRST_EXTRACEREBRAL)]
    known = np.isin(codes, [code for row in CLASS_CODES.values() for code in row])
    if codes.size and known.mean() < _MOSTLY:
        raise CaseError(
            f"{name!r} is no FreeSurfer-style label map: only {known.mean():.0%} of its voxels "
            "have known codes (cortex 3 and 42, white matter 2 and 41, ...); give another file"
        )


def _require_brain(volume_ml: float, name: str) -> None:
    if volume_ml < _MIN_BRAIN_ML:
        raise CaseError(
            f"{name!r} holds {volume_ml:.0f} ml of brain, expected at least {_MIN_BRAIN_ML:.0f} "
            "ml; give a FreeSurfer-style label map (cortex 3 and 42, white matter 2 and 41, ...)"
        )
