"""The choices that whoever wants a figure has."""

from dataclasses import dataclass

from napari_brats.regions import DEFAULT_PALETTE, PALETTES, Palette


@dataclass(frozen=True)
class Options:
    """Choices that figures share; each takes those that concern it.

    Parameters
    ----------
    palette : str
        Row of `PALETTES`.
    seed : int
        For what is drawn at random.
    metric : str
        Row of `METRICS`, for figures of a cohort.
    """

    palette: str = DEFAULT_PALETTE
    seed: int = 0
    metric: str = "dice"

    @property
    def colors(self) -> Palette:
        """The palette's row."""
        return PALETTES[self.palette]
