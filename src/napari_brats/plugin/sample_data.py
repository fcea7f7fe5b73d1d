"""File > Open Sample: the synthetic patients that come with the package."""

from napari_brats.plugin.layers import LayerData
from napari_brats.plugin.reader import read_patient
from napari_brats.samples import sample_folder


def brats2021() -> list[LayerData]:
    """Open the synthetic patient in the BraTS 2021 naming."""
    return read_patient(str(sample_folder("brats2021")))


def brats2023() -> list[LayerData]:
    """Open the synthetic patient in the BraTS 2023 naming."""
    return read_patient(str(sample_folder("brats2023")))
