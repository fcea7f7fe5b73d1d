"""A notice where images hold more than a brain, and never for stripped ones."""

from pathlib import Path

import numpy as np
import pytest

from napari_brats.case import load_case
from napari_brats.naming import find_patients
from napari_brats.preprocessing.skull import MOST_BRAIN_ML, skull_note
from napari_brats.samples import sample_data_dir


def images(**nonzero: int) -> dict[str, np.ndarray]:
    """Return images of 1,000 voxels, so many of which are not 0."""
    found = {}
    for name, count in nonzero.items():
        found[name] = np.zeros((10, 10, 10), np.float32)
        found[name].flat[:count] = -1.0  # a z-score may be negative
    return found


def test_nothing_and_a_brain_are_no_head() -> None:
    """The empty case, and volumes up to the limit."""
    assert skull_note("P1", {}, 1.0) == ""
    assert skull_note("P1", images(t1=0), 1.0) == ""
    assert skull_note("P1", images(t1=1000, t2=1000), MOST_BRAIN_ML / 1000) == ""


def test_a_head_is_told_with_the_modalities_and_the_volume() -> None:
    """One modality that was not stripped is enough; the voxel size counts, not the voxels."""
    note = skull_note("P1", images(t1=450, t2=1000, flair=700), 5.0)
    assert note.startswith(
        "'P1' may not be skull-stripped: t2, flair differs from 0 in up to 5,000 ml, and no brain "
        "has more than 2,500;"
    )
    assert skull_note("P1", images(t1=450, t2=1000, flair=700), 1.0) == ""


def require_none(root: Path) -> int:
    """Check that no patient of a folder is taken for unstripped; return how many there are."""
    patients = find_patients(root)
    for patient in patients:
        case = load_case(patient)
        assert skull_note(case.case_id, case.images, case.voxel_ml) == ""
    return len(patients)


@pytest.mark.slow
def test_the_bundled_patients_are_stripped() -> None:
    """No false alarm on what everybody tries first."""
    assert require_none(sample_data_dir())


@pytest.mark.slow
@pytest.mark.real_data
def test_real_patients_are_stripped(real_data_dir: Path) -> None:
    """No false alarm on any real patient at hand."""
    assert require_none(real_data_dir / "train") + require_none(real_data_dir / "validation")
