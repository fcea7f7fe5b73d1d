"""``napari-brats convert``: patients and masks in other programs' formats, and back."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_brats.cli.options import add_json, add_labels
from napari_brats.regions import LABEL_CONVENTIONS
from napari_brats.workflows.convert import (
    CONVERSIONS,
    FRAMES,
    MESH_FORMATS,
    Job,
    conversions_with,
    convert,
)

if TYPE_CHECKING:
    from napari_brats.cli.terminal import Terminal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of the command."""
    parser.add_argument(
        "name",
        choices=tuple(CONVERSIONS),
        metavar="CONVERSION",
        help="; ".join(f"{row.name}: {row.title}" for row in CONVERSIONS.values()),
    )
    parser.add_argument(
        "path", type=Path, metavar="PATH", help="a patient, a mask, or a folder of PNG files"
    )
    parser.add_argument(
        "--like",
        type=Path,
        metavar="PATIENT",
        help=f"for {conversions_with('like')}: whose grid the slices lie on",
    )
    parser.add_argument(
        "--mask",
        type=Path,
        metavar="FILE",
        help=f"for {conversions_with('mask')}: mask to go with the patient "
        "(default: the reference)",
    )
    add_labels(parser, "what the codes mean in masks that do not say so themselves")
    parser.add_argument(
        "--to",
        choices=tuple(LABEL_CONVENTIONS),
        metavar="CONVENTION",
        help=f"for {conversions_with('to')}: codes to write",
    )
    parser.add_argument(
        "--dicom",
        type=Path,
        metavar="FOLDER",
        help=f"for {conversions_with('dicom')}: the DICOM series that the patient's images were "
        "converted from",
    )
    _add_shapes(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="PATH",
        help="file or folder to write (default: beside PATH)",
    )
    add_json(parser)


def _add_shapes(parser: argparse.ArgumentParser) -> None:
    """Declare what only meshes and arrays have."""
    parser.add_argument(
        "--format",
        choices=MESH_FORMATS,
        default=Job.mesh,
        help="for mesh (default: %(default)s)",
    )
    parser.add_argument(
        "--frame",
        choices=tuple(FRAMES),
        default=Job.frame,
        help="for mesh: where the axes point, to the right, front, head or left, back, head "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--crop",
        type=_count,
        nargs=3,
        default=Job.crop,
        metavar="N",
        help="for npy: voxels along x, y, z (default: 128 128 128)",
    )


def run(args: argparse.Namespace, terminal: "Terminal") -> int:
    """Convert and say what was written."""
    job = Job(
        source=args.path,
        output=args.output,
        like=args.like,
        mask=args.mask,
        labels=args.labels,
        to=args.to,
        dicom=args.dicom,
        mesh=args.format,
        frame=args.frame,
        crop=tuple(args.crop),
        on_notice=terminal.notice,
    )
    written = convert(args.name, job)
    place = written[0] if len(written) == 1 else written[0].parent
    count = "" if len(written) == 1 else f"{len(written)} files in "
    return terminal.answer(
        f"written: {count}{place}", conversion=args.name, written=[str(path) for path in written]
    )


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of voxels; give 1 or more")
    return int(text)
