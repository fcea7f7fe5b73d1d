"""From logits to region probabilities to one nested tissue map."""

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import OUTPUTS
from napari_brats.regions import REGIONS, Tissue, tissues_from_regions

_TISSUES = {
    "background": Tissue.BACKGROUND,
    "NCR": Tissue.NECROSIS,
    "ED": Tissue.EDEMA,
    "ET": Tissue.ENHANCING,
}


def region_probabilities(logits: NDArray[np.float32], outputs: str) -> NDArray[np.float32]:
    """Return the probabilities of WT, TC and ET.

    Parameters
    ----------
    logits : NDArray[np.float32], shape (K, X, Y, Z)
        A network's output.
    outputs : {"regions", "tissues", "labels"}
        As the checkpoint's card says. Regions are taken as they are; of tissues (softmax) a
        region gets the sum of its members, of labels (independent sigmoids) the largest.

    Returns
    -------
    NDArray[np.float32], shape (3, X, Y, Z)

    Raises
    ------
    CheckpointError
        If ``outputs`` is unknown or does not fit the number of channels.
    """
    import torch

    kind = OUTPUTS.get(outputs)
    if kind is None or len(kind.channels) != logits.shape[0]:
        expected = ", ".join(f"{name!r} with {len(row.channels)}" for name, row in OUTPUTS.items())
        raise CheckpointError(
            f"the network gives {logits.shape[0]} channels as {outputs!r}; expected {expected}: "
            "correct 'outputs' in the checkpoint's card"
        )
    tensor = torch.from_numpy(logits)
    exclusive = kind.activation == "softmax"
    activated = torch.softmax(tensor, dim=0) if exclusive else torch.sigmoid(tensor)
    if kind.channels != tuple(REGIONS):
        tissues = [_TISSUES[name] for name in kind.channels]
        members = [
            activated[[n for n, tissue in enumerate(tissues) if tissue in region.tissues]]
            for region in REGIONS.values()
        ]
        activated = torch.stack([one.sum(0) if exclusive else one.amax(0) for one in members])
    probabilities: NDArray[np.float32] = activated.numpy()
    return probabilities


def tissues_from_probabilities(
    probabilities: NDArray[np.float32], threshold: float = 0.5
) -> NDArray[np.uint8]:
    """Return `Tissue` codes (X, Y, Z) with ET inside TC inside WT.

    Parameters
    ----------
    probabilities : NDArray[np.float32], shape (3, X, Y, Z)
        WT, TC, ET.
    threshold : float
        A voxel belongs to a region where its probability is above.
    """
    return tissues_from_regions(probabilities > threshold)


def without_traces(
    tissues: NDArray[np.uint8], voxel_ml: float, least_ml: float
) -> tuple[NDArray[np.uint8], float]:
    """Take a whole patient's enhancing tumor for necrosis if there is next to none of it.

    A few voxels in a tumor that does not enhance are mostly vessels; Isensee et al. 2018
    (arXiv:1809.10483) replace them in the same way.

    Parameters
    ----------
    tissues : NDArray[np.uint8], shape (X, Y, Z)
        `Tissue` codes.
    voxel_ml : float
        Volume of a voxel.
    least_ml : float
        Where there is less than this, it goes.

    Returns
    -------
    tuple
        `Tissue` codes (the same array where nothing changes), and the ml that went.
    """
    enhancing = tissues == Tissue.ENHANCING
    volume = float(np.count_nonzero(enhancing)) * voxel_ml
    if not 0 < volume < least_ml:
        return tissues, 0.0
    return np.where(enhancing, np.uint8(Tissue.NECROSIS), tissues), volume
