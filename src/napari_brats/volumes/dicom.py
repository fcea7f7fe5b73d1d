"""DICOM: the grid of a series of slices, and segmentations on it (extra ``dicom``).

DICOM counts millimeters to the left, back and head; affines here point right, front and
head, as everywhere. The series' own voxel axes are (column, row, slice along the normal).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CaseError, DependencyError
from napari_brats.volumes.atomic import atomic_write
from napari_brats.volumes.volume import TOLERANCE_MM, Volume, grid_difference

if TYPE_CHECKING:
    from pydicom import Dataset

_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MANUFACTURER = "napari-brats"
_NEEDED = (
    "SeriesInstanceUID", "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "Rows", "Columns",
)  # fmt: skip
"""What a slice must say to have a place; a localizer or a report does not."""


@dataclass(frozen=True)
class Series:
    """The slices of one DICOM series, from the first along its normal to the last.

    Parameters
    ----------
    slices : sequence of Dataset
        Headers, without voxels.
    affine : NDArray[np.float64], shape (4, 4)
        (column, row, slice) to patient millimeters, RAS+.
    shape : tuple of int
        Columns, rows, slices.
    folder : Path
        Where they were read from.
    """

    slices: "Sequence[Dataset]"
    affine: NDArray[np.float64]
    shape: tuple[int, int, int]
    folder: Path


@dataclass(frozen=True)
class Segment:
    """One label of a segmentation.

    Parameters
    ----------
    title : str
        For people.
    code : tuple of str
        What it is: value, scheme and meaning of a coded term.
    color : str
        ``#rrggbb``.
    """

    title: str
    code: tuple[str, str, str]
    color: str


def read_series(folder: Path) -> Series:
    """Read the headers of the one series in a folder.

    Parameters
    ----------
    folder : Path
        Holds one DICOM file a slice; other files are passed over.

    Raises
    ------
    DependencyError
        Without the extra ``dicom``.
    CaseError
        If there is no series, more than one, or its slices make no regular grid.
    """
    _require()
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    if not folder.is_dir():
        raise CaseError(f"{str(folder)!r} is no folder; give the folder of a DICOM series")
    found: dict[str, list[Dataset]] = {}
    for path in sorted(folder.iterdir()):
        try:
            header = dcmread(path, stop_before_pixels=True) if path.is_file() else None
        except (InvalidDicomError, OSError):
            continue
        if header is not None and all(header.get(name) is not None for name in _NEEDED):
            found.setdefault(str(header.SeriesInstanceUID), []).append(header)
    if not found:
        raise CaseError(
            f"{str(folder)!r} holds no DICOM slices with a place in the patient; give the folder "
            "of the series that the images were converted from (one file a slice)"
        )
    if len(found) > 1:
        names = ", ".join(
            f"{one[0].get('SeriesDescription', 'unnamed')} ({len(one)} slices)"
            for one in found.values()
        )
        raise CaseError(
            f"{str(folder)!r} holds {len(found)} series ({names}); give a folder with one"
        )
    return _ordered(next(iter(found.values())), folder)


def write_segmentation(
    path: Path,
    labels: NDArray[np.uint8],
    affine: NDArray[np.float64],
    segments: Mapping[int, Segment],
    series: Series,
    *,
    maker: str,
    version: str,
) -> Path:
    """Write a mask as a DICOM segmentation of a series, whole or not at all.

    Parameters
    ----------
    path : Path
        The ``.dcm`` file.
    labels : NDArray[np.uint8], shape (X, Y, Z)
        Codes; 0 is background.
    affine : NDArray[np.float64], shape (4, 4)
        Of the mask, RAS+.
    segments : Mapping[int, Segment]
        What each code is. Codes that the mask lacks get no segment.
    series : Series
        Whose patient, study and frame of reference it takes.
    maker, version : str
        What made the mask, and the version of this program.

    Raises
    ------
    CaseError
        If the mask is empty, or does not lie on the series' own voxels: it would be in the
        wrong place, so nothing is resampled in silence.
    OutputError
        If it cannot be written.
    """
    placed = _on_series(Volume(labels, affine, path), series)
    present = [code for code in segments if (placed == code).any()]
    if not present:
        raise CaseError("the mask holds no tumor; a DICOM segmentation needs a segment at least")
    frames = np.zeros(placed.shape, np.uint8)
    for number, code in enumerate(present, 1):
        frames[placed == code] = number
    dataset = _dataset(
        np.ascontiguousarray(frames.transpose(2, 1, 0)),
        [segments[code] for code in present],
        series,
        maker,
        version,
    )
    return atomic_write(path, lambda temporary: dataset.save_as(temporary))


def _require() -> None:
    try:
        import highdicom  # noqa: F401
    except ImportError as error:
        raise DependencyError(
            "DICOM needs the package highdicom, which is not installed; "
            'run pip install "napari-brats[dicom]"'
        ) from error


def _ordered(headers: "list[Dataset]", folder: Path) -> Series:
    """Sort slices along their normal and return their grid."""
    first = headers[0]
    turn = np.array(first.ImageOrientationPatient, np.float64).reshape(2, 3)
    normal = np.cross(*turn)
    places = np.array([header.ImagePositionPatient for header in headers], np.float64)
    order = np.argsort(places @ normal)
    places = places[order]
    if len(headers) < 2:
        raise CaseError(f"{str(folder)!r} holds one slice; give a series of several")
    step = (places[-1] - places[0]) / (len(headers) - 1)
    even = places[0] + np.arange(len(headers))[:, None] * step
    turns = np.array([header.ImageOrientationPatient for header in headers], np.float64)
    sizes = {(header.Rows, header.Columns, *header.PixelSpacing) for header in headers}
    if len(sizes) > 1 or np.abs(turns - turns[0]).max() > 1e-4:
        raise CaseError(f"the slices in {str(folder)!r} differ in size or direction; give others")
    if np.abs(even - places).max() > TOLERANCE_MM or not np.any(step):
        raise CaseError(
            f"the slices in {str(folder)!r} do not lie at even distances; a slice is missing or "
            "there twice"
        )
    rows_mm, columns_mm = (float(size) for size in first.PixelSpacing)
    affine = np.eye(4)
    affine[:3] = np.column_stack((turn[0] * columns_mm, turn[1] * rows_mm, step, places[0]))
    shape = (int(first.Columns), int(first.Rows), len(headers))
    return Series([headers[number] for number in order], _RAS @ affine, shape, folder)


def _on_series(mask: Volume, series: Series) -> NDArray[np.uint8]:
    """Return a mask with its axes permuted and flipped to those of a series."""
    # The command line's parser reaches this module and must not load nibabel for that.
    from nibabel import orientations as axes

    there: Any = axes.io_orientation(series.affine)  # type: ignore[no-untyped-call]
    turn: Any = axes.ornt_transform(  # type: ignore[no-untyped-call]
        axes.io_orientation(mask.affine),  # type: ignore[no-untyped-call]
        there,
    )
    data = axes.apply_orientation(mask.data, turn)  # type: ignore[no-untyped-call]
    affine = mask.affine @ axes.inv_ornt_aff(turn, mask.data.shape)  # type: ignore[no-untyped-call]
    grid = Volume(np.broadcast_to(np.uint8(0), series.shape), series.affine, series.folder)
    difference = grid_difference(Volume(data, affine, mask.path), grid)
    if difference is not None:
        raise CaseError(
            f"the mask does not lie on the series' voxels: {difference}; give the series that the "
            "patient's images were converted from, or resample the mask onto it"
        )
    placed: NDArray[np.uint8] = data
    return placed


def _dataset(
    frames: NDArray[np.uint8],
    segments: Sequence[Segment],
    series: Series,
    maker: str,
    version: str,
) -> "Dataset":
    """Return the segmentation; highdicom copies patient, study and frame of reference."""
    import highdicom
    from pydicom.sr.codedict import codes
    from pydicom.sr.coding import Code

    algorithm = highdicom.AlgorithmIdentificationSequence(
        name=maker, version=version, family=codes.DCM.ArtificialIntelligence
    )
    described: list[Any] = [
        highdicom.seg.SegmentDescription(
            segment_number=number,
            segment_label=segment.title,
            segmented_property_category=codes.SCT.MorphologicallyAbnormalStructure,
            segmented_property_type=Code(*segment.code),
            algorithm_type=highdicom.seg.SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
            algorithm_identification=algorithm,
            display_color=highdicom.color.CIELabColor.from_rgb(
                *(int(segment.color[at : at + 2], 16) for at in (1, 3, 5))
            ),
        )
        for number, segment in enumerate(segments, 1)
    ]
    return highdicom.seg.Segmentation(
        source_images=series.slices,
        pixel_array=frames,
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=highdicom.UID(),
        series_number=900,
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer=_MANUFACTURER,
        manufacturer_model_name=_MANUFACTURER,
        software_versions=version,
        device_serial_number="0",
        content_label="BRAIN_TUMOR",
        content_description=f"brain tumor, {maker}"[:64],
        series_description=f"{_MANUFACTURER} segmentation",
    )
