"""PALETTES: how tissues and regions look, in napari, in figures and in reports alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from napari_brats.regions.tissues import REGIONS, Tissue


@dataclass(frozen=True)
class Palette:
    """One set of colors.

    Parameters
    ----------
    name : str
        Key in `PALETTES` and value of ``--palette``.
    title : str
        For people.
    tissues : Mapping[Tissue, str]
        ``#rrggbb`` of every tissue but the background.
    missed, false, mistaken : str
        Voxels of the reference that the prediction lacks, voxels that only the prediction
        has, and tumor in both that is taken for another tissue.
    """

    name: str
    title: str
    tissues: Mapping[Tissue, str]
    missed: str
    false: str
    mistaken: str

    def region(self, name: str) -> str:
        """Return the color of a region: that of the tissue which sets it apart."""
        return self.tissues[_REGION_TISSUES[name]]


_REGION_TISSUES = dict(zip(REGIONS, (Tissue.EDEMA, Tissue.NECROSIS, Tissue.ENHANCING), strict=True))

PALETTES: Mapping[str, Palette] = {
    row.name: row
    for row in (
        Palette(
            "safe",
            "Okabe and Ito's colors, told apart with any kind of color vision",
            {
                Tissue.NECROSIS: "#d55e00",
                Tissue.EDEMA: "#009e73",
                Tissue.ENHANCING: "#f0e442",
                Tissue.CAVITY: "#56b4e9",
                Tissue.NON_ENHANCING: "#cc79a7",
                Tissue.CYST: "#0072b2",
                Tissue.GROSS_TUMOR: "#e69f00",
            },
            missed="#56b4e9",
            false="#cc79a7",
            mistaken="#0072b2",
        ),
        Palette(
            "brats",
            "red necrosis, green edema, yellow enhancing tumor: as ITK-SNAP shows the codes "
            "1, 2 and 4 of BraTS 2017-2021",
            {
                Tissue.NECROSIS: "#ff0000",
                Tissue.EDEMA: "#00ff00",
                Tissue.ENHANCING: "#ffff00",
                Tissue.CAVITY: "#0000ff",
                Tissue.NON_ENHANCING: "#ff00ff",
                Tissue.CYST: "#00ffff",
                Tissue.GROSS_TUMOR: "#ff8000",
            },
            missed="#00ffff",
            false="#ff00ff",
            mistaken="#0000ff",
        ),
    )
}

DEFAULT_PALETTE = "safe"
TISSUE_COLORS: Mapping[Tissue, str] = PALETTES[DEFAULT_PALETTE].tissues
