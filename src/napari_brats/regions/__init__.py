"""Tissues, regions, label conventions and colors: the one place that knows what a code means.

Inside napari-brats a mask always holds `Tissue` codes. The same number means different
tissue in different BraTS editions, so `decode_labels` and `encode_labels` translate at the
border (on load and on save) by a row of `LABEL_CONVENTIONS`.
"""

from napari_brats.regions.colors import (
    DEFAULT_PALETTE,
    PALETTES,
    TISSUE_COLORS,
    Palette,
)
from napari_brats.regions.conventions import (
    LABEL_CONVENTIONS,
    LabelConvention,
    conventions_with,
    decode_labels,
    encode_labels,
    label_convention,
)
from napari_brats.regions.tissues import (
    REGIONS,
    SUBREGIONS,
    TISSUE_TITLES,
    Region,
    Tissue,
    region_mask,
    region_tissues,
    tissues_from_regions,
)

__all__ = [
    "DEFAULT_PALETTE",
    "LABEL_CONVENTIONS",
    "PALETTES",
    "REGIONS",
    "SUBREGIONS",
    "TISSUE_COLORS",
    "TISSUE_TITLES",
    "LabelConvention",
    "Palette",
    "Region",
    "Tissue",
    "conventions_with",
    "decode_labels",
    "encode_labels",
    "label_convention",
    "region_mask",
    "region_tissues",
    "tissues_from_regions",
]
