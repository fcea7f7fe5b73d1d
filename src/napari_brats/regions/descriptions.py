"""What a mask's codes mean, as the text files that ITK-SNAP and 3D Slicer read.

Formats: the label description file of ITK-SNAP, and the discrete color table that Slicer's
developer guide describes under "Colors" (names without spaces).
"""

from napari_brats.regions.colors import DEFAULT_PALETTE, PALETTES, Palette
from napari_brats.regions.conventions import LabelConvention
from napari_brats.regions.tissues import TISSUE_TITLES


def itksnap_labels(
    convention: LabelConvention, palette: Palette = PALETTES[DEFAULT_PALETTE]
) -> str:
    """Return a label description file for ITK-SNAP: code, color, opacity, two switches, name."""
    lines = ["# ITK-SnAP Label Description File", "# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL"]
    lines.append('    0     0    0    0     0    0   0    "Clear Label"')
    for code, (red, green, blue), title in _rows(convention, palette):
        lines.append(f'{code:5d} {red:5d} {green:4d} {blue:4d}     1    1   1    "{title}"')
    return "\n".join(lines) + "\n"


def slicer_colors(convention: LabelConvention, palette: Palette = PALETTES[DEFAULT_PALETTE]) -> str:
    """Return a color table for 3D Slicer: code, name, red, green, blue, opacity."""
    rows = _rows(convention, palette)
    lines = ["# Color table file", f"# {len(rows) + 1} values", "0 background 0 0 0 0"]
    lines += [
        f"{code} {title.replace(' ', '_')} {red} {green} {blue} 255"
        for code, (red, green, blue), title in rows
    ]
    return "\n".join(lines) + "\n"


def _rows(
    convention: LabelConvention, palette: Palette
) -> list[tuple[int, tuple[int, int, int], str]]:
    found = []
    for code, tissue in sorted(convention.codes.items()):
        color = palette.tissues[tissue]
        red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
        found.append((code, (red, green, blue), TISSUE_TITLES[tissue]))
    return found
