"""What a layer of ours knows about itself: whose it is, and the way back to the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_brats.plugin.display import Display

KEY = "brats"
"""Where the tag lies in a layer's metadata."""

IMAGE, REFERENCE, MASK, PREVIEW = "image", "reference", "mask", "preview"
DIFFERENCE = "difference"


@dataclass(frozen=True)
class LayerTag:
    """Origin of one layer.

    Parameters
    ----------
    case_id : str
        The patient.
    role : str
        ``"image"``, ``"reference"``, ``"mask"``, ``"preview"`` of what a tool would change, or
        ``"difference"`` of two masks.
    title : str
        Modality, ``"reference"``, or what made the mask (a model's name, ``"by hand"``).
    convention : str
        Row of `LABEL_CONVENTIONS` for saving.
    sources : tuple of Path
        The patient's own files, which are never overwritten; a saved mask takes over grid
        and header of the first.
    display : Display
        Turn between the file's voxels and the layer's.
    path : Path or None
        File that holds the layer, None while it is not saved.
    stamp : tuple of int or None
        `plugin.masks.stamp_of` that file when it was read or written here.
    """

    case_id: str
    role: str
    title: str
    convention: str
    sources: tuple[Path, ...]
    display: Display
    path: Path | None = None
    stamp: tuple[int, int] | None = None

    @property
    def image(self) -> Path:
        """The patient's first image."""
        return self.sources[0]

    def metadata(self) -> dict[str, Any]:
        """Return the layer's metadata: the tag, and the plain facts for other plugins."""
        return {
            KEY: self,
            "case_id": self.case_id,
            "path": None if self.path is None else str(self.path),
            "affine": self.display.affine,
            "convention": self.convention,
        }


def tag_of(metadata: Mapping[str, Any]) -> LayerTag | None:
    """Return the tag in a layer's metadata, or None for a layer that is not ours."""
    tag = metadata.get(KEY)
    return tag if isinstance(tag, LayerTag) else None
