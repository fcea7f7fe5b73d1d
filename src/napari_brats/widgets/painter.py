"""What a person chose to paint with, and what a stroke may therefore change."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.editing.brushes import Brush, Stroke, region_brushes, tissue_brushes
from napari_brats.editing.limits import Limits, Tissues, Window
from napari_brats.regions import LabelConvention, Tissue
from napari_brats.regions.tissues import TISSUE_TITLES
from napari_brats.widgets.strokes import Pass, Place

if TYPE_CHECKING:
    from collections.abc import Callable

ANYWHERE = ""
OUTSIDE = TISSUE_TITLES[Tissue.BACKGROUND]


@dataclass(frozen=True, eq=False)
class Band:
    """A window of intensity on an image layer.

    Parameters
    ----------
    layer : napari.layers.Image
        Its voxels lie on the mask's grid.
    title : str
        The modality.
    low, high : float
        Both included; infinite where open.
    """

    layer: Any
    title: str
    low: float = -np.inf
    high: float = np.inf

    @property
    def words(self) -> str:
        """What it lets through, for people."""
        if np.isneginf(self.low) and np.isposinf(self.high):
            return ""
        if np.isneginf(self.low):
            return f"{self.title} up to {self.high:.4g}"
        if np.isposinf(self.high):
            return f"{self.title} from {self.low:.4g}"
        return f"{self.title} {self.low:.4g} to {self.high:.4g}"


class Painter:
    """The choices of the Paint panel; every change of them is told.

    Attributes
    ----------
    regions : bool
        Whether regions are painted, or tissues.
    brush : Brush or None
        The row in use; None while the layer's label is no tissue of the edition.
    locks : frozenset of str
        Names of brushes whose voxels are held.
    inside : str
        Name of a brush, `OUTSIDE` or `ANYWHERE`.
    bands : tuple of Band
        At most two.
    on_change : list of callable
        Called after every choice.
    """

    def __init__(self) -> None:
        self.on_change: list[Callable[[], None]] = []
        self.tissue_rows: tuple[Brush, ...] = ()
        self.region_rows: tuple[Brush, ...] = ()
        self.regions = False
        self.brush: Brush | None = None
        self.locks: frozenset[str] = frozenset()
        self.inside = ANYWHERE
        self.bands: tuple[Band, ...] = ()

    @property
    def rows(self) -> tuple[Brush, ...]:
        """The brushes of the way of painting in use."""
        return self.region_rows if self.regions else self.tissue_rows

    def begin(self, convention: LabelConvention) -> None:
        """Offer the brushes of an edition; what it does not have is let go."""
        before = self.brush.name if self.brush is not None else ""
        self.tissue_rows, self.region_rows = tissue_brushes(convention), region_brushes(convention)
        sets = self.sets()
        self.brush = next((row for row in self.rows if row.name == before), None)
        self.locks &= frozenset(sets)
        self.inside = self.inside if self.inside in sets else ANYWHERE
        self._tell()

    def sets(self) -> dict[str, Tissues]:
        """Return what can be locked or stayed inside, by name."""
        rows = {row.name: row.tissues for row in (*self.region_rows, *self.tissue_rows)}
        return {**rows, OUTSIDE: frozenset({Tissue.BACKGROUND})}

    def choose(self, row: Brush | None) -> None:
        """Take a brush; its kind becomes the way of painting."""
        self.brush = row
        if row is not None:
            self.regions = row in self.region_rows
        self._tell()

    def paint_regions(self, regions: bool) -> None:
        """Change the way of painting, to the row whose voxels become what they did."""
        if regions == self.regions:
            return
        label = None if self.brush is None else self.brush.becomes
        self.regions = regions
        first = next(iter(self.rows), None)
        self.choose(next((row for row in self.rows if row.becomes == label), first))

    def row_of(self, label: int | None) -> Brush | None:
        """Return the row in use that paints a label; one of the other way if there is none."""
        other = self.tissue_rows if self.regions else self.region_rows
        return next((row for row in (*self.rows, *other) if row.becomes == label), None)

    def lock(self, name: str, on: bool) -> None:
        """Hold the voxels of a tissue or the outline of a region, or no longer."""
        self.locks = self.locks | {name} if on else self.locks - {name}
        self._tell()

    def stay_inside(self, name: str) -> None:
        """Paint only where the mask is this."""
        self.inside = name
        self._tell()

    def set_bands(self, bands: tuple[Band, ...]) -> None:
        """Paint only these intensities."""
        self.bands = bands
        self._tell()

    def limits(self) -> Limits:
        """Return what may change, for strokes and whole-volume tools."""
        sets = self.sets()
        return Limits(
            locks=tuple(sets[name] for name in sorted(self.locks)),
            inside=sets[self.inside] if self.inside else None,
            windows=tuple(
                Window(np.asarray(band.layer.data), band.low, band.high) for band in self.bands
            ),
        )

    def stroke(self, label: int) -> Stroke | None:
        """Return what painting a label does; None if it is no tissue of the edition.

        Background erases with the brush in use; the brush's own label paints with it; a
        script that paints another label gets the tissue of that label.
        """
        if label == Tissue.BACKGROUND:
            row = self.brush or next(iter(self.tissue_rows), None)
            return None if row is None else row.stroke(erasing=True)
        if self.brush is not None and label == self.brush.becomes:
            return self.brush.stroke(erasing=False)
        row = next((row for row in self.tissue_rows if row.becomes == label), None)
        return None if row is None else row.stroke(erasing=False)

    def narrow(
        self, layer: Any, place: Place, touched: NDArray[np.bool_], label: int
    ) -> Pass | None:
        """Return which of the touched voxels become what; a `Narrow`."""
        stroke = self.stroke(label)
        if stroke is None:
            return None
        voxels = touched & stroke.voxels(layer.data, self.limits(), place)
        return (voxels, int(stroke.becomes)) if voxels.any() else None

    def summary(self, *, erasing: bool) -> str:
        """Return in a sentence what the next stroke does."""
        if self.brush is None:
            return "This label is no tissue of the edition: it paints nothing."
        stroke = self.brush.stroke(erasing=erasing)
        limits = self.limits()
        held = Limits(limits.locks, limits.inside)
        codes = np.array([0, *(row.becomes for row in self.tissue_rows)], np.uint8)
        others = codes[codes != stroke.becomes]
        changes = others[stroke.voxels(others, held, (slice(None),))]
        names = ", ".join(TISSUE_TITLES[Tissue(code)] for code in changes.tolist())
        if len(changes) == len(others):
            names = "everything"
        verb = f"{'Erase' if erasing else 'Paint'} {self.brush.name}"
        if erasing and self.brush.erases is None:
            verb = "Erase"
        if not names:
            return f"{verb}: nothing may change."
        return f"{verb}: {names} → {TISSUE_TITLES[stroke.becomes]}."

    def conditions(self) -> str:
        """Return what else holds the next stroke back; empty if nothing does."""
        parts = [f"Only inside {self.inside}."] if self.inside else []
        parts += [f"{band.words}." for band in self.bands if band.words]
        if self.locks:
            parts.append(f"Locked: {', '.join(sorted(self.locks))}.")
        return " ".join(parts)

    def _tell(self) -> None:
        for listener in self.on_change:
            listener()
