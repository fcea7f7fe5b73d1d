"""A small patient whose front, right and head can be told."""

from collections.abc import Callable

import numpy as np
import pytest

from napari_brats.case import Case
from napari_brats.preprocessing.steps import Reorient
from napari_brats.regions import LABEL_CONVENTIONS, Tissue
from napari_brats.workflows.subject import Subject

MakeSubject = Callable[..., Subject]
RAS = np.diag([1.0, 1.0, 2.0, 1.0])


@pytest.fixture
def make_subject() -> MakeSubject:
    """Return a function that makes a brain with a bright spot at the front right, and a tumor.

    ``make(orientation="RAS", *, reference=True, empty=False, modalities=4)``; the mask and
    the reference are the same.
    """

    def make(
        orientation: str = "RAS",
        *,
        reference: bool = True,
        empty: bool = False,
        modalities: tuple[str, ...] = ("t1", "t1ce", "t2", "flair"),
    ) -> Subject:
        image = np.zeros((30, 40, 12), np.float32)
        image[5:25, 5:35, 1:11] = 100.0
        image[22:25, 32:35, 7] = 900.0
        mask = np.zeros(image.shape, np.uint8)
        mask[18:24, 26:34, 6:9] = Tissue.EDEMA
        mask[19:23, 28:33, 7] = Tissue.ENHANCING
        stack, affine, _ = Reorient(orientation).apply(
            np.stack([image, mask.astype(np.float32)]), RAS
        )
        tissues = stack[1].astype(np.uint8)
        case = Case(
            "case", "brats2021", LABEL_CONVENTIONS["brats2017-2021"],
            dict.fromkeys(modalities, stack[0]), affine, tissues if reference else None, {}, None,
        )  # fmt: skip
        return Subject(case, {"model": tissues * (not empty)})

    return make
