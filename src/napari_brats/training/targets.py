"""From region masks, which training samples carry, to what a kind of outputs is compared with."""

import torch
from torch import Tensor

from napari_brats.errors import TrainingError
from napari_brats.networks.card import OUTPUTS
from napari_brats.regions import Tissue


def targets_for(regions: Tensor, outputs: str) -> Tensor:
    """Return what a loss compares logits of this kind with.

    Voxels outside WT are background whatever TC and ET say, as in `tissues_from_regions`.

    Parameters
    ----------
    regions : Tensor, shape (N, 3, ...)
        How much of each voxel lies in WT, TC and ET.
    outputs : {"regions", "tissues", "labels"}
        Row of `OUTPUTS`.

    Returns
    -------
    Tensor
        ``"regions"``: the same. ``"tissues"``: int64 (N, ...), the number of the softmax
        channel (background, NCR, ED, ET). ``"labels"``: (N, 3, ...), NCR, ED, ET as 0 or 1,
        of the regions' dtype.

    Raises
    ------
    TrainingError
        If there is no such kind of outputs.
    """
    if outputs not in OUTPUTS:
        raise TrainingError(f"unknown outputs {outputs!r}; choose one of {', '.join(OUTPUTS)}")
    if outputs == "regions":
        return regions
    whole, core, enhancing = (regions > 0.5).unbind(1)
    tissues = torch.full_like(whole, int(Tissue.BACKGROUND), dtype=torch.int64)
    tissues[whole] = int(Tissue.EDEMA)
    tissues[whole & core] = int(Tissue.NECROSIS)
    tissues[whole & core & enhancing] = int(Tissue.ENHANCING)
    if outputs == "tissues":
        return tissues
    labels = (Tissue.NECROSIS, Tissue.EDEMA, Tissue.ENHANCING)
    return torch.stack([tissues == int(label) for label in labels], dim=1).to(regions.dtype)
