"""LABEL_CONVENTIONS: what the numbers in each edition's masks mean, and the translation.

Sources: Menze et al. 2015 (doi:10.1109/TMI.2014.2377694) for 2012-2015; Bakas et al. 2018
(arXiv:1811.02629) for 2017-2020; Baid et al. 2021 (arXiv:2107.02314) for 2021; the
configuration of the official BraTS evaluation for 2023 and later.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_brats.errors import LabelError
from napari_brats.regions.tissues import TISSUE_TITLES, Tissue


@dataclass(frozen=True)
class LabelConvention:
    """What the numbers in one edition's masks mean.

    Parameters
    ----------
    name : str
        Key in `LABEL_CONVENTIONS` and value of ``--labels``.
    title : str
        The editions that use it, for people.
    codes : Mapping[int, Tissue]
        Tissue of every non-zero code on disk.
    merges : Mapping[Tissue, Tissue]
        Where a tissue goes that this convention has no code for (on save).
    """

    name: str
    title: str
    codes: Mapping[int, Tissue]
    merges: Mapping[Tissue, Tissue] = field(default_factory=dict)

    def code_of(self, tissue: Tissue) -> int | None:
        """Return the number on disk for a tissue, following `merges`; None if there is none."""
        tissue = self.merges.get(tissue, tissue)
        if tissue is Tissue.BACKGROUND:
            return 0
        return next((code for code, known in self.codes.items() if known is tissue), None)


_NCR_ED_ET = {1: Tissue.NECROSIS, 2: Tissue.EDEMA, 3: Tissue.ENHANCING}
_NCR_ED_ET_RC = {**_NCR_ED_ET, 4: Tissue.CAVITY}
_INTO_NECROSIS = {Tissue.NON_ENHANCING: Tissue.NECROSIS, Tissue.CYST: Tissue.NECROSIS}

LABEL_CONVENTIONS: Mapping[str, LabelConvention] = {
    row.name: row
    for row in (
        LabelConvention(
            "brats2012-2015",
            "BraTS 2012-2015",
            {
                1: Tissue.NECROSIS,
                2: Tissue.EDEMA,
                3: Tissue.NON_ENHANCING,
                4: Tissue.ENHANCING,
            },
            {Tissue.CYST: Tissue.NON_ENHANCING},
        ),
        LabelConvention(
            "brats2017-2021",
            "BraTS 2017-2021",
            {1: Tissue.NECROSIS, 2: Tissue.EDEMA, 4: Tissue.ENHANCING},
            _INTO_NECROSIS,
        ),
        LabelConvention("brats2023-gli", "BraTS 2023 GLI, GoAT", _NCR_ED_ET, _INTO_NECROSIS),
        LabelConvention(
            "brats2024-gli", "BraTS 2024+ GLI (post-treatment)", _NCR_ED_ET_RC, _INTO_NECROSIS
        ),
        LabelConvention("brats-met", "BraTS MET (metastases)", _NCR_ED_ET_RC, _INTO_NECROSIS),
        LabelConvention("brats-men", "BraTS MEN (meningioma)", _NCR_ED_ET, _INTO_NECROSIS),
        LabelConvention(
            "brats-men-rt",
            "BraTS MEN-RT (meningioma, radiotherapy)",
            {1: Tissue.GROSS_TUMOR},
            {
                Tissue.NECROSIS: Tissue.GROSS_TUMOR,
                Tissue.ENHANCING: Tissue.GROSS_TUMOR,
                Tissue.NON_ENHANCING: Tissue.GROSS_TUMOR,
                Tissue.CYST: Tissue.GROSS_TUMOR,
                Tissue.EDEMA: Tissue.BACKGROUND,
            },
        ),
        LabelConvention(
            "brats-ped",
            "BraTS PED (children)",
            {
                1: Tissue.ENHANCING,
                2: Tissue.NON_ENHANCING,
                3: Tissue.CYST,
                4: Tissue.EDEMA,
            },
            {Tissue.NECROSIS: Tissue.NON_ENHANCING},
        ),
        LabelConvention("brats-ssa", "BraTS SSA (Sub-Saharan Africa)", _NCR_ED_ET, _INTO_NECROSIS),
        LabelConvention(
            "msd",
            "Medical Segmentation Decathlon Task01; nnU-Net's BraTS conversion",
            {1: Tissue.EDEMA, 2: Tissue.NECROSIS, 3: Tissue.ENHANCING},
            _INTO_NECROSIS,
        ),
    )
}


def label_convention(name: str) -> LabelConvention:
    """Return a row of `LABEL_CONVENTIONS` by name.

    Raises
    ------
    LabelError
        If there is no such convention; the message lists all.
    """
    try:
        return LABEL_CONVENTIONS[name]
    except KeyError:
        choices = ", ".join(LABEL_CONVENTIONS)
        raise LabelError(f"unknown label convention {name!r}; choose one of {choices}") from None


def conventions_with(codes: set[int]) -> list[str]:
    """Return the names of the conventions that know all the given non-zero codes."""
    return [row.name for row in LABEL_CONVENTIONS.values() if codes <= set(row.codes)]


def decode_labels(
    labels: NDArray[np.generic],
    convention: LabelConvention,
    *,
    source: str = "the mask",
    cure: str | None = None,
) -> NDArray[np.uint8]:
    """Translate disk codes to tissue codes.

    Parameters
    ----------
    labels : NDArray, any shape, integer-valued (integer or float dtype)
        Codes as stored.
    convention : LabelConvention
        What they mean.
    source : str
        Where they come from, for the message.
    cure : str, optional
        What to do about an unknown code, where choosing another convention is of no use.

    Returns
    -------
    NDArray[np.uint8], same shape
        `Tissue` codes.

    Raises
    ------
    LabelError
        If a code is unknown to the convention, negative, fractional or not finite.
    """
    if labels.dtype == np.uint8:
        counts = np.bincount(labels.ravel(order="K"), minlength=256)
        found = np.flatnonzero(counts).astype(np.float64)
    else:
        found = np.unique(labels).astype(np.float64)
    unknown = [float(code) for code in found if code != 0 and code not in convention.codes]
    if unknown:
        shown = ", ".join(f"{code:g}" for code in unknown[:6])
        fitting = (
            conventions_with({int(code) for code in found if code != 0})
            if all(float(code).is_integer() for code in found)
            else []
        )
        choice = (
            f"choose one that fits with --labels: {', '.join(fitting)}"
            if fitting
            else "no known convention fits; check that this is a BraTS mask"
        )
        raise LabelError(
            f"{source} holds code {shown}, which {convention.name!r} does not have "
            f"(it has {', '.join(str(code) for code in convention.codes)}); {cure or choice}"
        )
    table = np.zeros(256, np.uint8)
    for code, tissue in convention.codes.items():
        table[code] = tissue
    return table[labels.astype(np.uint8, copy=False)]


def encode_labels(tissues: NDArray[np.uint8], convention: LabelConvention) -> NDArray[np.uint8]:
    """Translate tissue codes to disk codes (inverse of `decode_labels` where nothing merges).

    Parameters
    ----------
    tissues : NDArray[np.uint8], any shape
        `Tissue` codes.
    convention : LabelConvention
        The edition to write for.

    Returns
    -------
    NDArray[np.uint8], same shape

    Raises
    ------
    LabelError
        If a tissue has no code in this convention and no stated place to go.
    """
    table = np.zeros(256, np.uint8)
    for value in np.flatnonzero(np.bincount(tissues.ravel(order="K"), minlength=256)).tolist():
        code = convention.code_of(Tissue(value)) if value in list(Tissue) else None
        if code is None:
            name = TISSUE_TITLES[Tissue(value)] if value in list(Tissue) else f"code {value}"
            raise LabelError(
                f"{convention.name!r} has no code for {name!r}; "
                "save with another convention (--labels) or relabel these voxels"
            )
        table[value] = code
    return table[tissues]
