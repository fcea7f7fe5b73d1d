"""Training samples: patients preprocessed once into memory-mapped files."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case, load_case, require_modalities
from napari_brats.errors import CaseError
from napari_brats.naming import find_patients
from napari_brats.preprocessing.recipes import Recipe, prepare
from napari_brats.regions import REGIONS, region_mask, tissues_from_regions

REGION_NAMES = tuple(REGIONS)

WHOLE = 255
"""What `Sample.regions` holds where a voxel lies in a region with all of its volume."""


@dataclass(frozen=True)
class Sample:
    """A patient on a recipe's grid.

    ``images`` is float16 (C, X, Y, Z) in the recipe's channel order; ``regions`` is uint8
    (3, X, Y, Z), how much of a voxel lies in WT, TC and ET, in steps of 1/255.
    """

    images: NDArray[np.float16]
    regions: NDArray[np.uint8]

    @property
    def tissues(self) -> NDArray[np.uint8]:
        """`Tissue` codes (X, Y, Z) of what fills more than half of a voxel."""
        return tissues_from_regions(np.asarray(self.regions) > WHOLE // 2)

    @classmethod
    def load(cls, path: Path) -> "Sample":
        """Map what `save` wrote into memory; voxels are read when they are used."""
        return cls(np.load(path, mmap_mode="r"), np.load(_regions_path(path), mmap_mode="r"))

    def save(self, path: Path) -> None:
        """Write ``path`` (.npy) and its regions beside it; where ``path`` is, both are whole."""
        for target, array in ((_regions_path(path), self.regions), (path, self.images)):
            partial = target.with_name(f"{target.stem}.{os.getpid()}.part.npy")
            np.save(partial, array)
            partial.replace(target)


def _regions_path(path: Path) -> Path:
    return path.with_suffix(".regions.npy")


def sample_of(case: Case, recipe: Recipe) -> Sample:
    """Preprocess a case with its reference.

    Raises
    ------
    CaseError
        If the case has no reference or lacks a modality of the recipe.
    """
    if case.reference is None:
        raise CaseError(
            f"{case.case_id!r} has no reference mask and training needs one; "
            "add it or leave the case out"
        )
    require_modalities(case, recipe.modalities, f"recipe {recipe.name!r}")
    return prepared_sample(recipe, case.images, case.reference, case.affine)


def prepared_sample(
    recipe: Recipe,
    images: Mapping[str, NDArray[np.float32]],
    tissues: NDArray[np.uint8],
    affine: NDArray[np.float64],
) -> Sample:
    """Bring images and `Tissue` codes, all (X, Y, Z), to a recipe's grid.

    Regions are resampled, not codes: between two codes there may lie a third. What a voxel of a
    coarse grid holds in part is kept as a share (SoftSeg, Gros et al. 2021, arXiv:2011.09041).
    """
    prepared = prepare(recipe, images, affine)
    regions = np.stack([region_mask(tissues, name) for name in REGION_NAMES])
    shares = prepared.way.there(regions.astype(np.float32))
    return Sample(
        prepared.volume.astype(np.float16), np.rint(np.clip(shares, 0, 1) * WHOLE).astype(np.uint8)
    )


def cached_path(cache: Path, name: str, sources: Sequence[Path], recipe: Recipe) -> Path:
    """Return where a patient made from some files, on a recipe's grid, lies in the cache.

    A file that was changed since, such as a corrected mask, makes it another place.

    Raises
    ------
    CaseError
        If a file is not there.
    """
    try:
        found = [(source.resolve(), source.stat()) for source in sources]
    except OSError as error:
        raise CaseError(
            f"cannot read {error.filename!r} of {name!r}: {error.strerror}; bring the file back or "
            "leave the patient out"
        ) from error
    stamps = [(str(path), at.st_size, at.st_mtime_ns) for path, at in found]
    key = hashlib.sha256(f"{stamps}|{recipe}|shares".encode()).hexdigest()[:16]
    return cache / f"{name}-{key}.npy"


def cache_patients(
    folders: Sequence[Path], recipe: Recipe, cache: Path, on_notice: Callable[[str], None]
) -> dict[Path, Path]:
    """Preprocess all patients that have a reference.

    Parameters
    ----------
    folders : sequence of Path
        Folders of patients, of any edition.
    recipe : Recipe
        The grid and intensities to bring them to.
    cache : Path
        An existing folder; what is in it already is not made again.
    on_notice : callable
        Takes one line about each patient that is made or left out.

    Returns
    -------
    dict of Path to Path
        Each patient's file in the cache and the image that it was made from, in order; of
        copies the first that was found.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        for patient in find_patients(folder):
            if patient.reference is None:
                on_notice(f"left out {patient.case_id}: it has no reference mask")
                continue
            # Not the folder: in the Decathlon's all patients lie in one.
            image = next(iter(patient.images.values()))
            sources = [*patient.images.values(), patient.reference]
            path = cached_path(cache, patient.case_id, sources, recipe)
            if not path.is_file():
                sample_of(load_case(image), recipe).save(path)
                on_notice(f"preprocessed {patient.case_id}")
            found[path] = image
    return dict(sorted(_each_once(found, on_notice).items()))


def _each_once(found: Mapping[Path, Path], on_notice: Callable[[str], None]) -> dict[Path, Path]:
    """Leave out copies of patients: one could be trained on while the other is held out.

    Copies are told by their voxels, whatever their names, files and masks. One plane tells
    nearly all others apart, so that little is read.
    """
    once: dict[Path, Path] = {}
    alike: dict[bytes, list[Path]] = {}
    for path, image in found.items():
        images = Sample.load(path).images
        plane = hashlib.sha256(images[:, images.shape[1] // 2].tobytes()).digest()
        known = alike.setdefault(plane, [])
        same = (one for one in known if np.array_equal(images, Sample.load(one).images))
        if (first := next(same, None)) is None:
            known.append(path)
            once[path] = image
        else:
            on_notice(f"left out {str(image)!r}: its images are those of {str(found[first])!r}")
    return once
