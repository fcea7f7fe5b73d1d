"""CONVERSIONS: what can be turned into what."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from napari_brats.errors import CaseError
from napari_brats.workflows.convert.arrays import to_imagej, to_npy
from napari_brats.workflows.convert.descriptions import to_itksnap_labels, to_slicer_colors
from napari_brats.workflows.convert.dicom import to_dicom
from napari_brats.workflows.convert.job import Job
from napari_brats.workflows.convert.labels import relabel
from napari_brats.workflows.convert.meshes import to_meshes
from napari_brats.workflows.convert.slices import images_to_png, mask_to_png, png_to_mask


@dataclass(frozen=True)
class Conversion:
    """One way from a format to another.

    Parameters
    ----------
    name : str
        Key and value on the command line.
    title : str
        What it does.
    takes, gives : str
        What it reads and writes, for people.
    run : Callable[[Job], list of Path]
        Does it and returns the files written.
    options : tuple of str
        Fields of `Job` that concern it, of those that not every conversion has.
    """

    name: str
    title: str
    takes: str
    gives: str
    run: Callable[[Job], list[Path]]
    options: tuple[str, ...] = ()


CONVERSIONS: Mapping[str, Conversion] = {
    row.name: row
    for row in (
        Conversion(
            "png", "four modalities as four-channel slices, as for DR-Unet104", "a patient",
            "a new folder of PNG files", images_to_png,
        ),
        Conversion(
            "mask-png", "a mask's codes as gray slices", "a mask", "a new folder of PNG files",
            mask_to_png, ("to",),
        ),
        Conversion(
            "png-mask", "gray slices as a mask on the grid of --like", "a folder of PNG files",
            "a NIfTI or MetaImage mask", png_to_mask, ("like",),
        ),
        Conversion(
            "npy", "modalities and mask cut or padded to one size", "a patient",
            "a new folder with images.npy, mask.npy, box.json", to_npy, ("mask",),
        ),
        Conversion(
            "imagej", "modalities and mask as the channels of one hyperstack", "a patient",
            "an ImageJ TIFF", to_imagej, ("mask",),
        ),
        Conversion(
            "labels", "a mask in the codes of another edition", "a mask",
            "a NIfTI or MetaImage mask", relabel, ("to",),
        ),
        Conversion(
            "itksnap-labels", "names and colors of a mask's codes for ITK-SNAP", "a mask",
            "a label description file (.label)", to_itksnap_labels,
        ),
        Conversion(
            "slicer-colors", "names and colors of a mask's codes for 3D Slicer", "a mask",
            "a color table (.ctbl)", to_slicer_colors,
        ),
        Conversion(
            "mesh", "surfaces of WT, TC, ET in patient mm", "a mask",
            "an STL, OBJ or PLY file for each region", to_meshes,
        ),
        Conversion(
            "dicom-seg", "a mask's tissues as segments of the series given by --dicom", "a mask",
            "a DICOM segmentation", to_dicom, ("dicom",),
        ),
    )
}  # fmt: skip


def convert(name: str, job: Job) -> list[Path]:
    """Convert by a row of `CONVERSIONS`.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    BratsError
        If something cannot be read or written, or would be lost without a word, or an option
        does not concern this conversion: what it asks for would not happen.
    """
    row = CONVERSIONS[name]
    for option in ("like", "mask", "to", "dicom"):
        if getattr(job, option) is not None and option not in row.options:
            raise CaseError(
                f"--{option} is for {conversions_with(option)}, not for {name}; leave it out or "
                "choose another conversion"
            )
    if job.source.name in ("", ".."):  # where one stands has a name, too
        job = replace(job, source=Path(os.path.abspath(job.source)))
    return row.run(job)


def conversions_with(option: str) -> str:
    """Name the conversions that a field of `Job` concerns."""
    return " and ".join(row.name for row in CONVERSIONS.values() if option in row.options)
