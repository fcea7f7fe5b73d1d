"""What a mask can be compared with, and the places found as lines of a list."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.codes import as_codes
from napari_brats.editing.decisions import Decision, Verdict
from napari_brats.editing.disagreements import (
    EXTRA,
    ORDERS,
    UNSURE,
    Place,
    disagreements,
    unsure_places,
)
from napari_brats.errors import BratsError
from napari_brats.plugin.tags import REFERENCE, LayerTag
from napari_brats.volumes import spacing_of, voxel_ml
from napari_brats.widgets.doubt import Doubt, doubt_of
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.origins import origin_of
from napari_brats.widgets.places_panel import EVERY_REGION, PlaceRow
from napari_brats.widgets.tool_layers import others_of

AS_IT_CAME = "the mask as it came, before the edits"
DOUBT = "where the model was unsure"
FROM_FILE = "probabilities from a file..."
MOST_ROWS = 200
"""Smaller places than so many are counted, but not listed."""

Mask = NDArray[np.uint8]
Decided = Mapping[tuple[str, str], Decision]
"""The last decision about each place of a comparison, by region and digest."""


@dataclass(frozen=True, eq=False)
class Source:
    """One thing that a mask can be compared with.

    Parameters
    ----------
    title : str
        In the menu.
    name : str
        In decisions.
    voxels : callable or None
        Returns B in display order, or None if it is gone; None where there is no other mask.
    doubt : Doubt or None
        Probabilities instead of another mask.
    """

    title: str
    name: str
    voxels: Callable[[], Mask | None] | None = None
    doubt: Doubt | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A place, or only the decision that made it go away."""

    place: Place | None
    decision: Decision | None

    @property
    def voxel(self) -> tuple[int, int, int]:
        """Where to look, (x, y, z) in the file."""
        if self.place is not None:
            return self.place.center
        assert self.decision is not None
        return self.decision.voxel

    @property
    def open(self) -> bool:
        """Whether it still waits for a decision; what was taken back does again."""
        if self.place is None:
            return False
        return self.decision is None or self.decision.verdict is Verdict.TAKE_B


def sources_of(book: MaskBook, mask: Any) -> list[Source]:
    """Return what a mask can be compared with: the reference first."""
    found = [_layer_source(layer) for layer in others_of(book, mask)]
    doubt = doubt_of(mask)
    if doubt is not None:
        found.append(Source(DOUBT, "probabilities", doubt=doubt))
    found.append(Source(AS_IT_CAME, "as it came", voxels=lambda: origin_of(mask)))
    found.append(Source(FROM_FILE, "probabilities"))
    return found


def mask_name(tag: LayerTag) -> str:
    """Return what a mask is called in decisions."""
    if tag.role == REFERENCE or tag.path is None:
        return tag.title
    return tag.path.name


def finding(
    mask: Mask, other: Mask | None, doubt: Doubt | None, tag: LayerTag
) -> Callable[[], list[Place] | str]:
    """Return the job that finds places, in the file's own voxel order, or says why it cannot.

    Parameters
    ----------
    mask, other : NDArray[np.uint8], in display order
        Copies that no stroke changes; ``other`` is None where there is doubt instead.
    doubt : Doubt or None
        Probabilities.
    tag : LayerTag
        Of the mask.
    """
    display = tag.display

    def job() -> list[Place] | str:
        if other is None:
            if doubt is None:
                return []
            spacing = spacing_of(display.affine).tolist()
            return unsure_places(doubt.maps, spacing, start=doubt.start, shape=display.shape)
        try:
            return disagreements(
                np.ascontiguousarray(display.to_file(mask)),
                np.ascontiguousarray(display.to_file(other)),
                voxel_ml(display.affine),
            )
        except BratsError as error:
            return str(error)

    return job


def decided(decisions: Sequence[Decision], source: Source) -> dict[tuple[str, str], Decision]:
    """Return the last decision about each place of a comparison."""
    return {(item.region, item.digest): item for item in decisions if item.b == source.name}


def lines_of(places: Sequence[Place], known: Decided, region: str, order: str) -> list[Line]:
    """Return the list: places in their order, then what was decided and is no place any more."""
    regions = [place for place in places if region in (EVERY_REGION, place.region)]
    # Places of doubt have one order only: the greatest doubt first.
    chosen = sorted(regions, key=ORDERS[order])
    lines = [Line(place, known.get((place.region, place.digest))) for place in chosen[:MOST_ROWS]]
    present = {(place.region, place.digest) for place in places}
    gone = [
        Line(None, decision)
        for key, decision in known.items()
        if key not in present
        and decision.verdict is Verdict.TAKE_B
        and region in (EVERY_REGION, decision.region)
    ]
    return lines + gone


def row_of(line: Line) -> PlaceRow:
    """Return a line's short columns and its whole sentence."""
    place, decision = line.place, line.decision
    if place is None:
        assert decision is not None
        cells = (decision.region, _sign(decision.kind), _ml(decision.volume_ml), "", "took B")
        return PlaceRow(cells, f"B was taken here by {decision.reader or 'somebody'}")
    verdict = "" if decision is None else str(decision.verdict)
    if decision is not None and line.open:
        verdict = "taken back"
    if place.kind == UNSURE:
        cells = (place.region, "?", _ml(place.volume_ml), f"{place.gain:.2f} bit", verdict)
        return PlaceRow(cells, f"{place.region}: mean entropy {place.gain:.2f} bit of at most 1")
    tip = (
        f"{place.region} {place.kind}, {_ml(place.volume_ml)} ml; "
        f"its Dice against B becomes {place.dice:.4f} if A takes B here"
    )
    cells = (place.region, _sign(place.kind), _ml(place.volume_ml), f"{place.gain:+.4f}", verdict)
    return PlaceRow(cells, tip)


def count_text(lines: Sequence[Line], places: int) -> str:
    """Return how many places there are and how many wait."""
    listed = [line for line in lines if line.place is not None]
    waiting = sum(line.open for line in listed)
    if not listed:
        return "No place to look at." if len(lines) == 0 else "No place is left."
    text = f"{len(listed)} places, {waiting} not decided"
    if places > MOST_ROWS and len(listed) == MOST_ROWS:
        text += "; smaller ones are not listed"
    return text + "."


def _layer_source(layer: Any) -> Source:
    return Source(
        layer.name, mask_name(mask_tag(layer)), voxels=lambda: as_codes(np.array(layer.data))
    )


def _sign(kind: str) -> str:
    return "?" if kind == UNSURE else "A" if kind == EXTRA else "B"


def _ml(volume: float) -> str:
    return f"{volume:.2f}" if volume >= 0.01 else f"{volume:.2g}"
