"""What codes are called, for other programs."""

import re

import pytest

from napari_brats.regions import LABEL_CONVENTIONS, TISSUE_COLORS, TISSUE_TITLES, label_convention
from napari_brats.regions.descriptions import itksnap_labels, slicer_colors

SNAP_LINE = re.compile(r'^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+([01])\s+([01])\s+([01])\s+"(.+)"$')


@pytest.mark.parametrize("name", LABEL_CONVENTIONS)
def test_every_code_has_its_name_and_color(name):
    """Both files name every code on disk of the edition, in the colors of the window."""
    convention = label_convention(name)
    lines = [line for line in itksnap_labels(convention).splitlines() if line[0] != "#"]
    snap = {}
    for line in lines:
        code, *color, _, _, _, title = SNAP_LINE.match(line).groups()
        snap[int(code)] = (title, "#" + "".join(f"{int(part):02x}" for part in color))
    slicer = {}
    for line in slicer_colors(convention).splitlines():
        if line[0] != "#":
            code, title, *color, _ = line.split()
            slicer[int(code)] = (
                title.replace("_", " "),
                "#" + "".join(f"{int(part):02x}" for part in color),
            )
    expected = {
        code: (TISSUE_TITLES[tissue], TISSUE_COLORS[tissue])
        for code, tissue in convention.codes.items()
    }
    assert snap.pop(0) == ("Clear Label", "#000000")
    assert slicer.pop(0) == ("background", "#000000")
    assert snap == slicer == expected


def test_by_hand():
    """The lines of BraTS 2017-2021, as the programs' own files have them."""
    text = slicer_colors(label_convention("brats2017-2021"))
    assert text.splitlines()[:4] == [
        "# Color table file",
        "# 4 values",
        "0 background 0 0 0 0",
        "1 necrosis 213 94 0 255",
    ]
    assert '    4   240  228   66     1    1   1    "enhancing tumor"' in itksnap_labels(
        label_convention("brats2017-2021")
    )
