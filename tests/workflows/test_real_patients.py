"""The bundled weights on patients that they never saw."""

import statistics

import pytest

from napari_brats.naming import find_patients
from napari_brats.networks.checkpoint import read_card
from napari_brats.regions import REGIONS
from napari_brats.workflows.segment import segment

LEAST = {"WT": 0.89, "TC": 0.75, "ET": 0.58}
ROUNDING = 0.01  # bfloat16 and the order of sums differ between machines

pytestmark = [pytest.mark.slow, pytest.mark.real_data]


@pytest.fixture(scope="module")
def measured(real_data_dir):
    """Dice of every validation patient, at full resolution."""
    results = {}
    for patient in find_patients(real_data_dir / "validation"):
        result = segment(patient.folder, model="dresunet3d", output=None, device="cpu")
        results[patient.case_id] = {name: result.scores[name].dice for name in REGIONS}
    return results


def test_the_mean_dice_does_not_fall(measured):
    """Mean Dice over the validation patients stays where the bundled weights have brought it."""
    for region, least in LEAST.items():
        assert statistics.fmean(row[region] for row in measured.values()) >= least


def test_the_card_tells_the_truth(measured):
    """The card's scores, case by case, are those that segmenting gives."""
    stated = read_card("dresunet3d").scores["per_case"]
    assert stated.keys() == measured.keys()
    for case, row in measured.items():
        assert row == pytest.approx(stated[case], abs=ROUNDING)
