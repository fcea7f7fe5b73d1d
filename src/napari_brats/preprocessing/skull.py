"""Tell images whose skull was not taken away, which networks for brains alone misread."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

MOST_BRAIN_ML = 2500.0
"""More than any brain, far less than a head.

The inside of an adult's skull holds about 1,100 to 2,000 ml; 33 patients of BraTS 2018 and 2021
have 1,174 to 1,731 ml that differ from 0. An adult's head, of 4.5 to 5 kg, has 4,000 ml or more,
and a background that is not 0 fills the field (8,900 ml in BraTS). A child's head, or a slab of
one, may have less: no notice is no proof that a skull was taken away.
"""


def skull_note(case_id: str, images: Mapping[str, NDArray[np.float32]], voxel_ml: float) -> str:
    """Return what people should know where images cannot hold a brain alone, else nothing.

    Parameters
    ----------
    case_id : str
        Whose they are, for the text.
    images : Mapping[str, NDArray[np.float32]]
        (X, Y, Z) per modality, on one grid.
    voxel_ml : float
        Volume of a voxel.
    """
    volumes = {name: np.count_nonzero(image) * voxel_ml for name, image in images.items()}
    large = [name for name, volume in volumes.items() if volume > MOST_BRAIN_ML]
    if not large:
        return ""
    return (
        f"{case_id!r} may not be skull-stripped: {', '.join(large)} differs from 0 in up to "
        f"{max(volumes.values()):,.0f} ml, and no brain has more than {MOST_BRAIN_ML:,.0f}; do not "
        "trust this mask, but strip the skull and set all around the brain to 0 first"
    )
