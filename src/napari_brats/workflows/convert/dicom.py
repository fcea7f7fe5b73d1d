"""A mask as a DICOM segmentation of the series that its patient's images came from."""

from pathlib import Path

from napari_brats.case import is_source
from napari_brats.errors import CaseError, OutputError
from napari_brats.plugin.masks import is_saved_mask, mask_title
from napari_brats.regions import TISSUE_COLORS, TISSUE_TITLES, Tissue
from napari_brats.volumes import Segment, read_series, write_segmentation
from napari_brats.workflows.convert.job import Job, read_mask_file, stem_of

_NEOPLASM = ("108369006", "SCT", "Neoplasm")
_CODES = {
    Tissue.NECROSIS: ("6574001", "SCT", "Necrosis"),
    Tissue.EDEMA: ("79654002", "SCT", "Edema"),
    Tissue.ENHANCING: ("C113842", "NCIt", "Enhancing Lesion"),
    Tissue.CAVITY: ("RC", "99NAPARIBRATS", "Resection Cavity"),
    Tissue.NON_ENHANCING: _NEOPLASM,
    Tissue.CYST: ("367643001", "SCT", "Cyst"),
    Tissue.GROSS_TUMOR: _NEOPLASM,
}
"""DICOM PS3.16, context group 7159; it has no resection cavity, which gets a code of ours."""


def to_dicom(job: Job) -> list[Path]:
    """Write one segment for each tissue in a mask; --dicom names the series."""
    from napari_brats import __version__

    if job.dicom is None:
        raise CaseError(
            "a DICOM segmentation takes patient, study and place from the series that the images "
            "were converted from; give its folder with --dicom"
        )
    series = read_series(job.dicom)
    tissues, affine, _ = read_mask_file(job.source, job.labels)
    target = job.target(f"{stem_of(job.source)}_seg.dcm", (".dcm",))
    if is_source(target, [Path(str(header.filename)) for header in series.slices]):
        raise OutputError(
            f"{str(target)!r} is a slice of the series, which is never overwritten; give another "
            "file with --output"
        )
    segments = {
        int(tissue): Segment(TISSUE_TITLES[tissue], code, TISSUE_COLORS[tissue])
        for tissue, code in _CODES.items()
    }
    maker = mask_title(job.source, "") if is_saved_mask(job.source) else stem_of(job.source)
    return [
        write_segmentation(
            target, tissues, affine, segments, series, maker=maker[:64], version=__version__
        )
    ]
