"""The MNI152 brain as an anatomy, from the grey- and white-matter maps nilearn ships.

ICBM 2009a nonlinear symmetric; Fonov et al. 2011 (doi:10.1016/j.neuroimage.2010.07.033).
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_brats.errors import CaseError
from napari_brats.preprocessing.steps import Reorient, spacing_of
from napari_brats.synthesis.anatomy import CLASSES, Anatomy, anatomy_from_shares
from napari_brats.volumes import read_volume

NAME = "mni152"
_FILE = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
_DEEP_MM = 22.0
_VENTRICLE_MM = 16.0


def load_mni152() -> Anatomy:
    """Make an anatomy from the MNI152 maps of the installed nilearn package.

    Returns
    -------
    Anatomy

    Raises
    ------
    CaseError
        If nilearn is not installed, or came without these maps.
    """
    folder = _nilearn_data()
    # The package is only located: importing it takes seconds, and its files are all we need.
    grey, white, head = (_read(folder / _FILE.format(part)) for part in ("gm", "wm", "t1"))
    spacing = grey[1]
    return anatomy_from_maps(
        grey[0] / np.float32(255), white[0] / np.float32(255), head[0] > 0, spacing
    )


def anatomy_from_maps(
    grey: NDArray[np.float32],
    white: NDArray[np.float32],
    brain: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> Anatomy:
    """Make an anatomy from grey- and white-matter probabilities.

    Parameters
    ----------
    grey, white : NDArray[np.float32], shape (X, Y, Z), 0 to 1
        Axes point LPS.
    brain : NDArray[np.bool_], shape (X, Y, Z)
        The brain with its CSF; what is neither grey nor white in it is fluid. Grey matter
        far from the surface counts as deep grey, fluid there as ventricle.
    spacing_mm : tuple of float
        Voxel size.
    """
    total = np.maximum(grey + white, 1)
    grey, white = grey / total * brain, white / total * brain
    fluid = (1 - grey - white) * brain
    depth = ndimage.distance_transform_edt(brain, sampling=spacing_mm)
    inner = depth > _VENTRICLE_MM
    deep = depth > _DEEP_MM
    none = np.zeros_like(grey)
    shares = {
        "csf": fluid * ~inner,
        "ventricle": fluid * inner,
        "cortex": grey * ~deep,
        "deep": grey * deep,
        "white": white,
    }
    by_class = [shares.get(name, none) for name in CLASSES]
    return anatomy_from_shares(by_class, brain, spacing_mm, NAME)


def _nilearn_data() -> Path:
    package = find_spec("nilearn")
    if package is None or package.origin is None:
        raise CaseError(
            f"{NAME!r} needs the maps of the nilearn package, which is not installed; "
            "run 'python -m pip install nilearn' or give a FreeSurfer-style label map"
        )
    return Path(package.origin).parent / "datasets" / "data"


def _read(path: Path) -> tuple[NDArray[np.float32], tuple[float, float, float]]:
    volume = read_volume(path)
    data, affine, _ = Reorient("LPS").apply(volume.data[None], volume.affine)
    x, y, z = (float(step) for step in spacing_of(affine))
    return data[0], (x, y, z)
