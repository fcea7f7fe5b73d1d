"""A case as plain napari layer tuples ``(data, keywords, type)``; no napari is imported."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.plugin.display import UNITS, Display, display_of
from napari_brats.plugin.tags import IMAGE, MASK, REFERENCE, LayerTag
from napari_brats.regions import TISSUE_COLORS, TISSUE_TITLES

LayerData = tuple[NDArray[Any], dict[str, Any], Literal["image", "labels"]]

IMAGE_TITLES = {"t2": "T2", "t1": "T1", "t1ce": "T1ce", "flair": "FLAIR"}
"""Modalities from the lowest layer to the uppermost."""

FIRST_SHOWN = "flair"
LABELS_OPACITY = 0.6
_PERCENTILES = (1.0, 99.5)
_SAMPLED = 1_000_000


def case_layers(case: Case, view_convention: str = "radiological") -> list[LayerData]:
    """Turn a case into layers, lowest first: the images, then the reference.

    Parameters
    ----------
    case : Case
        A patient.
    view_convention : str
        Row of `VIEW_CONVENTIONS`.

    Returns
    -------
    list of LayerData
        Arrays in display order, contiguous. FLAIR is visible (or the uppermost image where
        there is no FLAIR), and so is the reference.
    """
    shown = FIRST_SHOWN if FIRST_SHOWN in case.images else list(case.images)[-1]
    layers = [
        image_layer(case, modality, view_convention, visible=modality == shown)
        for modality in IMAGE_TITLES
        if modality in case.images
    ]
    if case.reference is not None:
        layers.append(reference_layer(case, case.reference, view_convention))
    return layers


def image_layer(
    case: Case, modality: str, view_convention: str = "radiological", *, visible: bool = True
) -> LayerData:
    """Turn one modality into an image layer with contrast from the brain."""
    title = IMAGE_TITLES[modality]
    tag = replace(
        _tag(case, view_convention), role=IMAGE, title=title, path=case.image_paths[modality]
    )
    keywords: dict[str, Any] = {
        **_geometry(tag),
        "name": f"{title} {case.case_id}",
        "colormap": "gray",
        "contrast_limits": brain_contrast(case.images[modality]),
        "visible": visible,
    }
    return _contiguous(tag.display, case.images[modality]), keywords, "image"


def reference_layer(
    case: Case, tissues: NDArray[np.uint8], view_convention: str = "radiological"
) -> LayerData:
    """Turn the reference into a labels layer; napari's side makes it read-only."""
    tag = replace(_tag(case, view_convention), role=REFERENCE, path=case.reference_path)
    return _labels(tag, tissues, f"reference {case.case_id}")


def mask_layer(
    case: Case,
    tissues: NDArray[np.uint8],
    title: str,
    view_convention: str = "radiological",
    *,
    path: Path | None = None,
    stamp: tuple[int, int] | None = None,
) -> LayerData:
    """Turn a mask into an editable labels layer.

    Parameters
    ----------
    case : Case
        The patient it belongs to.
    tissues : NDArray[np.uint8]
        (X, Y, Z) `Tissue` codes on the patient's grid; copied.
    title : str
        What made it: a model's name, or the stem of a file.
    view_convention : str
        Row of `VIEW_CONVENTIONS`.
    path : Path or None
        File it was read from.
    stamp : tuple of int or None
        `plugin.masks.stamp_of` that file before it was read: what somebody else writes meanwhile
        is not what is shown, and must not be saved over.
    """
    tag = replace(_tag(case, view_convention), path=path, stamp=stamp)
    return tagged_mask(tag, tissues, title)


def tagged_mask(tag: LayerTag, tissues: NDArray[np.uint8], title: str) -> LayerData:
    """Turn a mask into an editable labels layer, of the patient and file that a tag names."""
    return _labels(replace(tag, role=MASK, title=title), tissues, f"{title} {tag.case_id}")


def brain_contrast(image: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Return display limits from the percentiles of the brain (voxels that are not 0).

    Parameters
    ----------
    image : NDArray, any shape
        Intensities; a regular sample of large volumes is used.

    Returns
    -------
    tuple of float
        Lower < upper, also for an empty or constant image.
    """
    step = max(1, image.size // _SAMPLED)
    sample = image.ravel(order="K")[::step]
    values = sample[(sample != 0) & np.isfinite(sample)]
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, _PERCENTILES))
    return (low, high) if high > low else (min(low, 0.0), max(high, 0.0) or 1.0)


def adopted_tag(tag: LayerTag, title: str) -> LayerTag:
    """Return the tag of a labels layer that a person added on a patient's grid."""
    return replace(tag, role=MASK, title=title, path=None)


def tissue_appearance() -> dict[str, Any]:
    """Return the labels keywords that give tissues their colors and names."""
    colors: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    colors.update({int(tissue): color for tissue, color in TISSUE_COLORS.items()})
    names = {
        "index": [int(tissue) for tissue in TISSUE_TITLES],
        "tissue": [*TISSUE_TITLES.values()],
    }
    return {"colormap": colors, "features": names}


def _labels(tag: LayerTag, tissues: NDArray[np.uint8], name: str) -> LayerData:
    keywords = {
        **_geometry(tag),
        **tissue_appearance(),
        "name": name,
        "opacity": LABELS_OPACITY,
    }
    return _contiguous(tag.display, tissues), keywords, "labels"


def _tag(case: Case, view_convention: str) -> LayerTag:
    files = dict.fromkeys([*case.image_paths.values(), case.reference_path])
    sources = tuple(file for file in files if file is not None)
    return LayerTag(
        case_id=case.case_id,
        role=REFERENCE,
        title=REFERENCE,
        convention=case.convention.name,
        sources=sources,
        display=display_of(case.affine, case.shape, view_convention),
    )


def _geometry(tag: LayerTag) -> dict[str, Any]:
    return {
        "scale": tag.display.scale,
        "translate": tag.display.translate,
        "units": UNITS,
        "axis_labels": tag.display.axis_labels,
        "metadata": tag.metadata(),
    }


def _contiguous(display: Display, volume: NDArray[Any]) -> NDArray[Any]:
    return display.to_display(volume).copy(order="C")
