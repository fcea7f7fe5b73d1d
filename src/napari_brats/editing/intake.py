"""Masks of other programs: which labels they hold, and one mask in tissue codes out of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import LabelError
from napari_brats.regions import REGIONS, TISSUE_TITLES, Tissue, tissues_from_regions

MOST_LABELS = 32
"""More labels than this are no tissues: instances, or an image."""

LEFT_OUT = "left out"
Target = Tissue | str
"""What a label becomes: a tissue, the name of a region, or `LEFT_OUT`."""


@dataclass(frozen=True)
class Label:
    """One label of one layer.

    Parameters
    ----------
    layer : int
        Place of the layer in the list that was asked about.
    value : int
        Its voxels' value, not 0.
    voxels : int
        How many there are.
    """

    layer: int
    value: int
    voxels: int


def labels_of(layers: Sequence[NDArray[Any]], names: Sequence[str]) -> list[Label]:
    """Return the labels that layers hold, layer by layer.

    Parameters
    ----------
    layers : sequence of NDArray of integers
        On one grid.
    names : sequence of str
        For the message.

    Raises
    ------
    LabelError
        If a layer holds more than `MOST_LABELS` labels.
    """
    found = []
    for place, (voxels, name) in enumerate(zip(layers, names, strict=True)):
        values, counts = np.unique(voxels, return_counts=True)
        if np.count_nonzero(values) > MOST_LABELS:
            raise LabelError(
                f"{name!r} holds {np.count_nonzero(values)} labels, where at most {MOST_LABELS} "
                "are expected of a mask of tissues; merge what belongs together first"
            )
        pairs = zip(values.tolist(), counts.tolist(), strict=True)
        found += [Label(place, int(value), count) for value, count in pairs if value]
    return found


def combined(
    layers: Sequence[NDArray[Any]], targets: Mapping[tuple[int, int], Target]
) -> NDArray[np.uint8]:
    """Return one mask out of several.

    Regions come first: they are nested, ET in TC in WT, so a voxel that is called ET belongs
    to all three. Then single tissues are painted over them, in the layers' order.

    Parameters
    ----------
    layers : sequence of NDArray of integers, all of one shape
        What to combine.
    targets : Mapping
        What each (layer, value) becomes; what is not named is left out.

    Returns
    -------
    NDArray[np.uint8], of that shape
        `Tissue` codes.
    """
    regions = np.zeros((len(REGIONS), *layers[0].shape), np.bool_)
    for (layer, value), target in targets.items():
        if target in REGIONS:
            inner = list(REGIONS).index(str(target))
            regions[: inner + 1] |= layers[layer] == value
    tissues = tissues_from_regions(regions)
    for (layer, value), target in sorted(targets.items(), key=lambda item: item[0]):
        if isinstance(target, Tissue):
            tissues[layers[layer] == value] = target
    return tissues


def likely_target(name: str, labels: int) -> Target | None:
    """Return the region that a layer with a single label is named after; None if unclear."""
    if labels != 1:
        return None
    words = name.upper().replace("-", " ").replace("_", " ").split()
    for region in REGIONS:
        if region in words or REGIONS[region].title.upper() in " ".join(words):
            return region
    return next(
        (tissue for tissue, title in TISSUE_TITLES.items() if tissue and title.upper() in words),
        None,
    )
