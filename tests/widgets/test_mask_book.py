"""Which masks there are, whose they are, and what is unsaved."""

import numpy as np
import pytest
from napari.layers import Labels

from napari_brats.case import load_case
from napari_brats.plugin.layers import mask_layer
from napari_brats.plugin.tags import MASK
from napari_brats.regions import TISSUE_TITLES
from napari_brats.widgets.mask_book import MaskBook, mask_tag
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.references import protect_references
from napari_brats.widgets.saving import default_path, save_mask
from napari_brats.widgets.scoring import ScoreBoard


@pytest.fixture
def book(viewer, later):
    return MaskBook(viewer, later)


def test_masks_come_and_go(book, case, show_case, add_mask):
    """Only masks are listed: no images, no references; a removed mask is forgotten."""
    viewer = show_case(case)
    changes = []
    book.on_change.append(lambda: changes.append(1))
    assert book.masks() == []
    mask = add_mask(case)
    assert book.masks() == [mask]
    assert book.reference_of(mask).name.startswith("reference")
    viewer.layers.remove(mask)
    assert book.masks() == []
    assert len(changes) == 2


def test_masks_that_were_there_before(case, show_case, add_mask, later):
    """A book opened late knows the masks that are in the viewer already."""
    viewer = show_case(case)
    mask = add_mask(case)
    assert MaskBook(viewer, later).masks() == [mask]


def test_a_new_layer_on_the_patients_grid_is_adopted(book, case, show_case):
    """napari's "new labels" becomes a mask of the patient, with tissue names and colors."""
    viewer = show_case(case)
    viewer._new_labels()
    mask = viewer.layers[-1]
    assert book.masks() == [mask]
    assert (mask_tag(mask).role, mask_tag(mask).title) == (MASK, "by hand")
    assert list(mask.features["tissue"]) == list(TISSUE_TITLES.values())
    stranger = viewer.add_labels(np.zeros((2, 2, 2), np.uint8))
    assert stranger not in book.masks()


def test_a_layer_that_lies_otherwise_is_not_adopted(book, case, show_case):
    """The patient's shape in another place, or flipped, would be saved at wrong voxels."""
    viewer = show_case(case)
    image = viewer.layers[0]
    last = image.data_to_world(np.array(image.data.shape) - 1)
    voxels = np.zeros(image.data.shape, np.uint8)
    viewer.add_labels(voxels, scale=image.scale, translate=image.translate + 1)
    viewer.add_labels(voxels, affine=np.diag([*-image.scale, 1]), translate=-np.array(last))
    assert book.masks() == []


def test_a_new_layer_belongs_to_the_active_patient(
    book, case, show_case, tmp_path, make_patient_folder
):
    """Patients of one dataset share their grid: the active layer decides."""
    viewer = show_case(case)
    show_case(load_case(make_patient_folder(tmp_path / "other", case_id="BraTS2021_00009")))
    for place, case_id in ((0, case.case_id), (-2, "BraTS2021_00009")):
        viewer.layers.selection.active = viewer.layers[place]
        viewer._new_labels()
        assert mask_tag(viewer.layers[-1]).case_id == case_id


def test_a_copy_of_unsaved_edits_is_unsaved(book, case, show_case, add_mask):
    """Duplicated while it has unsaved strokes, a mask is asked about twice; painted back, clean."""
    viewer = show_case(case)
    mask = add_mask(case)
    mask.paint((3, 3, 3), 2)
    copy = viewer.add_layer(Labels(mask.data.copy(), metadata=dict(mask.metadata)))
    assert book.unsaved() == [mask, copy]
    copy.data = np.zeros(copy.data.shape, np.uint8)
    assert book.unsaved() == [mask]


def test_a_layer_that_comes_with_content_is_unsaved(book, case, show_case):
    """Made by another plugin or by hand: it is nowhere on disk."""
    viewer = show_case(case)
    image = viewer.layers[0]
    voxels = np.ones(image.data.shape, np.uint8)
    made = viewer.add_labels(voxels, scale=image.scale, translate=image.translate)
    assert book.unsaved() == [made]


def test_a_converted_layer_stays_unsaved(book, case, show_case, add_mask):
    """napari converts by taking the layer away and adding another with the same voxels."""
    viewer = show_case(case)
    mask = add_mask(case)
    mask.paint((3, 3, 3), 2)
    viewer.layers.remove(mask)
    again = viewer.add_layer(Labels(mask.data, metadata=mask.metadata))
    assert book.unsaved() == [again]


def test_a_new_name_is_told(book, case, show_case, add_mask):
    """The menu of masks follows the layer list."""
    show_case(case)
    mask = add_mask(case)
    told = []
    book.on_change.append(lambda: told.append(mask.name))
    mask.name = "second look"
    assert told == ["second look"]


def test_masks_of_another_view_are_not_compared(book, case, show_case, viewer):
    """Mirrored voxels would give a wrong Dice."""
    show_case(case)
    mirrored = viewer.add_layer(
        build_layer(mask_layer(case, case.reference, "net", "neurological"))
    )
    assert book.masks() == [mirrored]
    assert book.reference_of(mirrored) is None


def test_a_duplicate_forgets_the_originals_file(book, case, show_case, add_mask, tmp_path):
    """Saving the copy of a saved mask must not overwrite the original."""
    viewer = show_case(case)
    mask = add_mask(case)
    book.saved(mask, tmp_path / "a_mask.nii.gz", mask.data)
    data, keywords, kind = mask.as_layer_data_tuple()
    twin = viewer._add_layer_from_data(data.copy(), keywords, kind)[0]
    assert mask_tag(twin).path is None
    assert mask_tag(mask).path == tmp_path / "a_mask.nii.gz"


def test_unsaved_edits(book, case, show_case, add_mask, later, tmp_path):
    """A fresh prediction is not unsaved; a painted one is, until it is saved."""
    show_case(case)
    mask = add_mask(case)
    assert book.unsaved() == []
    mask.paint((5, 5, 5), 2)
    assert book.unsaved() == [mask]
    path = save_mask(mask_tag(mask), mask.data, tmp_path / "out_mask.nii.gz")
    book.saved(mask, path, mask.data)
    assert book.unsaved() == []
    assert default_path(mask_tag(mask)) == path


def test_a_book_that_is_opened_again_knows_what_is_unsaved(book, case, show_case, add_mask, later):
    """Closing the dock and opening it again does not turn edits into saved ones."""
    viewer = show_case(case)
    painted, untouched = add_mask(case), add_mask(case)
    painted.paint((5, 5, 5), 2)
    book.close()
    again = MaskBook(viewer, later)
    assert again.masks() == [painted, untouched]
    assert again.unsaved() == [painted]


def test_the_board_follows(book, case, show_case, add_mask, later):
    """Strokes, undo, new data and another mask all end in the right numbers."""
    shown = []
    show_case(case)
    board = ScoreBoard(book, lambda rows, note: shown.append(rows))
    mask = add_mask(case, case.reference.copy())
    board.choose(mask)
    assert [row.dice for row in shown[-1]] == [1.0, 1.0, 1.0]
    start = shown[-1]
    mask.brush_size = 6
    mask.paint(np.argwhere(mask.data == 3)[0], 0)
    later.turn()
    assert shown[-1][2].dice < 1
    mask.undo()
    later.turn()
    assert shown[-1] == start
    mask.data = np.zeros_like(mask.data)
    assert shown[-1][0].volume_ml == 0
    board.choose(None)
    assert shown[-1] == []


def test_references_are_read_only(viewer, case, show_case):
    """A reference stays read-only, even after its data were assigned."""
    protect_references(viewer)
    show_case(case)
    reference = viewer.layers[-1]
    assert not reference.editable
    reference.data = reference.data.copy()
    assert not reference.editable
    assert all(layer.editable for layer in viewer.layers[:-1])


def test_references_that_were_there_before(viewer, case, show_case):
    """Protection works on layers opened before it, and twice does no harm."""
    show_case(case)
    protect_references(viewer)
    protect_references(viewer)
    assert not viewer.layers[-1].editable


def test_strokes_made_before_the_dock_was_opened(case, show_case, add_mask, later):
    """A mask that was opened and painted without the dock is unsaved when the dock comes."""
    viewer = show_case(case)
    painted, untouched = add_mask(case), add_mask(case)
    painted.paint((5, 5, 5), 2)
    book = MaskBook(viewer, later)
    assert book.masks() == [painted, untouched]
    assert book.unsaved() == [painted]


def test_a_hidden_mask_that_is_undone_is_told(book, case, show_case, add_mask, later):
    """Whoever shows masks learns of an undo that nobody saw."""
    show_case(case)
    mask, told = add_mask(case), []
    book.on_unseen.append(told.append)
    mask.paint((5, 5, 5), 2)
    mask.undo()
    later.turn()
    assert told == []
    mask.redo()
    later.turn()
    mask.visible = False
    mask.undo()
    assert told == [mask]
    assert book.unsaved() == []


def test_a_mask_that_is_moved(book, case, show_case, add_mask, notices):
    """napari's transform mode lets strokes lie elsewhere than they are seen: told once a move."""
    mask, affine = add_mask(case), np.eye(4)
    assert notices == []
    for shift in (1.0, 2.0):
        affine[0, 3] = shift
        mask.affine = affine
    assert ["moved" in notice for notice in notices] == [True]
    mask.affine = np.eye(4)
    mask.scale = (2, 1, 1)
    assert len(notices) == 2
