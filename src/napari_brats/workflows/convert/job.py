"""`Job`: what is to be converted and how; reading masks."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_brats.case import is_source, load_mask
from napari_brats.errors import LabelError, OutputError
from napari_brats.naming import split_extension
from napari_brats.regions import LABEL_CONVENTIONS, LabelConvention, label_convention
from napari_brats.volumes import recorded_convention
from napari_brats.workflows.mask_names import naming_of
from napari_brats.workflows.outputs import check_folder

MESH_FORMATS = ("stl", "obj", "ply")
FRAMES = {"RAS": (1.0, 1.0, 1.0), "LPS": (-1.0, -1.0, 1.0)}
"""Where a mesh's axes point, and what its coordinates are multiplied with to get there."""

_OUTPUT = "--output"


def _ignore(_: str) -> None:
    """Take a notice that nobody wants."""


@dataclass(frozen=True)
class Job:
    """One conversion to make.

    Parameters
    ----------
    source : Path
        A patient, a mask or a folder of slices, as the conversion's row says.
    output : Path or None
        File or new folder to write; beside the source by default.
    like : Path or None
        Patient whose grid slices belong to.
    mask : Path or None
        Mask to convert together with a patient; the reference by default.
    labels : str or None
        Label convention of masks that do not tell theirs.
    to : str or None
        Label convention to write.
    dicom : Path or None
        Folder of the DICOM series that a segmentation belongs to.
    mesh : str
        One of `MESH_FORMATS`.
    frame : str
        Row of `FRAMES`.
    crop : tuple of int
        Voxels along X, Y, Z that arrays are cut or padded to.
    on_notice : Callable[[str], None]
        Takes one line about what is lost.
    """

    source: Path
    output: Path | None = None
    like: Path | None = None
    mask: Path | None = None
    labels: str | None = None
    to: str | None = None
    dicom: Path | None = None
    mesh: str = "stl"
    frame: str = "RAS"
    crop: tuple[int, int, int] = (128, 128, 128)
    on_notice: Callable[[str], None] = _ignore

    @property
    def may_replace(self) -> bool:
        """Whether an older mask may be replaced: only one that was named, for people edit masks."""
        return self.output is not None

    def target(self, name: str, extensions: tuple[str, ...] = ()) -> Path:
        """Return the file or folder to write, checked; ``name`` beside the source by default.

        Raises
        ------
        OutputError
            For another ending, a source file, or a place that cannot be written to.
        """
        path = self.output or self.source.parent / name
        if extensions and not path.name.lower().endswith(extensions):
            raise OutputError(
                f"cannot write {str(path)!r}: it does not end in {' or '.join(extensions)}; "
                f"give a file with such an ending with {_OUTPUT}"
            )
        if extensions and is_source(path, [self.source]):
            raise OutputError(
                f"{str(path)!r} is a source file, which is never overwritten; "
                f"give another file with {_OUTPUT}"
            )
        check_folder(Path(os.path.realpath(path)).parent, _OUTPUT)
        return path


def read_mask_file(
    path: Path, labels: str | None
) -> tuple[NDArray[np.uint8], NDArray[np.float64], LabelConvention]:
    """Read any mask.

    Parameters
    ----------
    path : Path
        The file.
    labels : str or None
        Its label convention, where neither the file nor its name tells it.

    Returns
    -------
    tuple
        (X, Y, Z) `Tissue` codes, the affine (4, 4), and the convention it was read with.

    Raises
    ------
    CaseError
        If it cannot be read.
    LabelError
        If the convention is not known, or does not know a code.
    """
    name = recorded_convention(path) or labels
    if name is None:
        known = naming_of(path)
        if known is None:
            raise LabelError(
                f"neither {str(path)!r} nor its name tells what its codes mean; choose a label "
                f"convention with --labels: {', '.join(LABEL_CONVENTIONS)}"
            )
        name = known[0]
    convention = label_convention(name)
    return *load_mask(path, convention), convention


def stem_of(path: Path) -> str:
    """Return a file's name without its ending, be it of one part or two."""
    parts = split_extension(path.name)
    return parts[0] if parts else path.stem
