"""Runs, opening and models, as the window sees them."""

import gzip
from threading import Event

import numpy as np
import pytest

from napari_brats.case import save_segmentation, segmentation_of
from napari_brats.errors import Cancelled, CaseError
from napari_brats.naming import recognize
from napari_brats.networks.card import Card
from napari_brats.networks.catalog import ModelRow
from napari_brats.networks.registry import MODELS
from napari_brats.plugin.layers import tissue_appearance
from napari_brats.plugin.masks import mask_path
from napari_brats.plugin.tags import MASK, REFERENCE, tag_of
from napari_brats.widgets.model_card import card_html, how_to_train, model_title
from napari_brats.widgets.opening import PatientRow, list_patients, read_layers, warm_up
from napari_brats.widgets.runs import Run, running
from napari_brats.widgets.steps import Step


def row_of(case, **more):
    return PatientRow(recognize(case.image_paths["flair"]), segmented=False, **more)


def run_out(generator):
    reports = []
    try:
        while True:
            reports.append(next(generator))
    except StopIteration as end:
        return reports, end.value


def test_a_run_ends_in_a_layer(case, fake_segment):
    """Each window is reported; the result is an editable labels layer of the patient."""
    run = Run(case, "net", "auto", "radiological")
    reports, finished = run_out(running(run, Event(), fake_segment))
    assert reports == [Step(done, 4) for done in range(1, 5)]
    tag = tag_of(finished.layer.metadata)
    assert (tag.role, tag.title, finished.device) == (MASK, "net-lite", "CPU, float32")
    np.testing.assert_array_equal(tag.display.to_file(finished.layer.data), case.reference)


def test_a_cancel_that_comes_late_keeps_nothing(case, fake_segment):
    """After the last window, while the mask is made: the button said that nothing is kept."""
    stop = Event()

    def segment(*arguments, **options):
        result = fake_segment(*arguments, **options)
        stop.set()
        return result

    with pytest.raises(Cancelled):
        run_out(running(Run(case, "net", "auto", "radiological"), stop, segment))


def test_a_mirrored_run_says_so(case, fake_segment):
    """Two masks of one model are told apart by their names."""
    run = Run(case, "net", "auto", "radiological", mirror=True)
    _, finished = run_out(running(run, Event(), fake_segment))
    assert tag_of(finished.layer.metadata).title == "net-lite-mirrored"


def test_listing_tells_the_state(tmp_path, make_patient_folder, case):
    """The list says who has a reference and who has a saved mask."""
    make_patient_folder(tmp_path / "data", case_id="BraTS2021_00099", reference=False)
    path = mask_path(case.image_paths["flair"], case.case_id, "net")
    save_segmentation(segmentation_of(case, case.reference), path)
    rows = {row.files.case_id: row for row in list_patients(tmp_path / "data")}
    assert rows[case.case_id].segmented
    assert rows[case.case_id].files.reference
    assert not rows["BraTS2021_00099"].segmented
    assert rows["BraTS2021_00099"].files.reference is None


def test_an_empty_folder_is_explained(tmp_path):
    """No patient: the error says what was found."""
    with pytest.raises(CaseError, match="empty"):
        list_patients(tmp_path)


def test_opening_brings_saved_masks(case):
    """Images, reference, then saved masks; layers to refill are not built."""
    path = mask_path(case.image_paths["flair"], case.case_id, "net")
    save_segmentation(segmentation_of(case, case.reference), path)
    slots = {(REFERENCE, REFERENCE)}
    arrivals, opened = run_out(read_layers(row_of(case), "radiological", slots))
    assert opened.notes == ()
    assert len(arrivals) == 6
    assert [arrival.layer is None for arrival in arrivals] == [False] * 4 + [True, False]
    assert tag_of(arrivals[-1].data[1]["metadata"]).path == path


def test_the_file_that_was_chosen_is_the_one_opened(case):
    """Of a compressed and a plain file of one modality, the one that the person points at."""
    packed = case.image_paths["t2"]
    plain = packed.with_suffix("")
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    (row,) = list_patients(plain)
    arrivals, _ = run_out(read_layers(row, "radiological"))
    assert str(plain) in [arrival.data[1]["metadata"]["path"] for arrival in arrivals]


def test_masks_from_elsewhere_and_hidden_ones(case, tmp_path):
    """A cohort's mask comes last and is not its own file; a first reader's does not come."""
    first = mask_path(case.image_paths["flair"], case.case_id, "ada")
    elsewhere = tmp_path / "out" / first.name
    elsewhere.parent.mkdir()
    for path in (first, elsewhere):
        save_segmentation(segmentation_of(case, case.reference), path)
    row = row_of(case, more={"net": elsewhere}, hidden=frozenset({first}))
    arrivals, opened = run_out(read_layers(row, "radiological"))
    assert opened.notes == ()
    masks = [tag for one in arrivals if (tag := tag_of(one.data[1]["metadata"])).role == MASK]
    assert [(tag.title, tag.path) for tag in masks] == [("net", None)]


def test_a_broken_mask_does_not_hide_the_patient(case):
    """A damaged mask beside the patient becomes a note."""
    path = mask_path(case.image_paths["flair"], case.case_id, "net")
    path.write_bytes(b"not a volume")
    arrivals, opened = run_out(read_layers(row_of(case), "radiological"))
    assert len(arrivals) == 5
    assert len(opened.notes) == 1
    assert path.name in opened.notes[0]


def test_warming_up():
    """The warm-up runs through and yields to let the window breathe."""
    assert len(list(warm_up())) == 1


def test_labels_look_like_tissues(case, fake_segment):
    """napari takes the tissue colors as a direct colormap and the names as features."""
    run = Run(case, "net", "auto", "radiological")
    _, finished = run_out(running(run, Event(), fake_segment))
    assert type(finished.layer.colormap).__name__ == "DirectLabelColormap"
    expected = tissue_appearance()["features"]["tissue"]
    assert list(finished.layer.features["tissue"]) == expected


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS)
def test_models_without_weights_say_how_to_train(spec):
    """A network without weights is named so, with the command that trains it."""
    row = ModelRow(spec, None)
    assert "no weights" in model_title(row)
    assert f"napari-brats train --model {spec.name}" in card_html(row)
    assert spec.name in how_to_train(spec.name)


def test_a_card_for_people():
    """The card shows scores, data, limits and use, escaped for the label."""
    card = Card(
        name="net-lite",
        architecture="dresunet3d",
        size="lite",
        recipe="brain-1mm",
        modalities=("flair", "t1"),
        outputs="regions",
        scores={"dataset": "eight <cases>", "mean": {"WT": 0.91, "TC": 0.8, "ET": 0.7}},
        limits=("never seen children",),
        parameters=1_600_000,
    )
    row = ModelRow(MODELS["dresunet3d"], card)
    html = card_html(row)
    assert model_title(row).endswith("3D, lite")
    for text in ("WT 0.910", "eight &lt;cases&gt;", "never seen children", "Research use only"):
        assert text in html


def test_an_added_model_goes_by_its_own_name():
    """The menu shows the name that the person gave, and the network it is."""
    card = Card("ward-7", "unet3d", "lite", "brain-1mm", ("flair",), "regions", parameters=1000)
    row = ModelRow(MODELS["unet3d"], card, added_as="ward-7")
    assert model_title(row) == "ward-7 (plain 3D U-Net (baseline) 3D)"
    assert row.name == "ward-7"
