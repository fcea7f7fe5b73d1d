"""Letters, cursor, comparison, and the patient on the desk: all without a window."""

import numpy as np
import pytest

from napari_brats.case import load_case
from napari_brats.plugin.layers import case_layers
from napari_brats.widgets.comparison import Comparison
from napari_brats.widgets.cursor import CursorReadout, tissue_title
from napari_brats.widgets.desk import Desk
from napari_brats.widgets.orientation import OrientationLetters


def edges(letters):
    found = letters.letters()
    return "".join(found[edge] for edge in ("top", "bottom", "left", "right")) if found else ""


def test_letters_follow_the_axes(viewer, case, show_case):
    """Radiological axial view first; letters follow rolled axes, 3D and the camera."""
    letters = OrientationLetters(viewer)
    assert edges(letters) == ""
    show_case(case)
    assert edges(letters) == "APRL"
    viewer.dims.order = (1, 0, 2)
    assert edges(letters) == "SIRL"
    viewer.dims.order = (2, 0, 1)
    assert edges(letters) == "SIAP"
    viewer.dims.order = (0, 1, 2)
    viewer.scene.camera.orientation2d = ("up", "left")
    assert edges(letters) == "PALR"
    viewer.dims.ndisplay = 3
    assert edges(letters) == ""


def test_letters_are_written(viewer, case, show_case):
    """The overlays show the letters, and go when the helper closes."""
    letters = OrientationLetters(viewer)
    show_case(case)
    overlay = viewer.canvas.overlays["brats_left"]
    assert (overlay.text, overlay.opacity, overlay.position) == ("R", 1, "middle_left")
    letters.close()
    assert "brats_left" not in viewer.canvas.overlays


def test_neurological_letters(viewer, case, show_case):
    """The other convention has the patient's left on the viewer's left."""
    letters = OrientationLetters(viewer)
    show_case(case, "neurological")
    assert edges(letters) == "APLR"


def test_patients_that_disagree_have_no_letters(viewer, case, show_case):
    """Two conventions in one canvas: no letter is better than a wrong one."""
    letters = OrientationLetters(viewer)
    show_case(case)
    show_case(case, "neurological")
    assert edges(letters) == ""


def test_cursor_in_patient_millimeters(viewer, case, show_case):
    """The readout gives RAS millimeters by the true affine, the file's voxel and the tissue."""
    texts = []
    readout = CursorReadout(viewer, texts.append)
    show_case(case)
    x, y, z = np.argwhere(case.reference == 3)[0]
    right, anterior, superior = (case.affine @ [x, y, z, 1])[:3]
    viewer.cursor.position = (-superior, -anterior, -right)
    assert texts[-1] == (
        f"R {right:.1f} A {anterior:.1f} S {superior:.1f} mm, voxel {x} {y} {z}, enhancing tumor"
    )
    viewer.cursor.position = (1e4, 0.0, 0.0)
    assert texts[-1] == ""
    readout.close()
    viewer.cursor.position = (0.0, 0.0, 0.0)
    assert texts[-1] == ""


def test_no_patient_no_place(viewer):
    """Without a patient there is nothing to tell."""
    viewer.add_image(np.zeros((4, 4)))
    assert CursorReadout(viewer, lambda text: None).text() == ""


@pytest.mark.parametrize(
    ("value", "title"),
    [(2, "edema"), (0, ""), (None, ""), (np.uint8(1), "necrosis"), (12, "label 12 is no tissue")],
)
def test_tissue_titles(value, title):
    """Values have names; background has none and strays are told."""
    assert tissue_title(value) == title


def test_comparison_goes_back(viewer, case, show_case, add_mask):
    """Compare shows outlines over the mask; switching it off restores both looks."""
    show_case(case)
    reference, mask = viewer.layers[-1], add_mask(case)
    reference.visible = False
    mask.opacity = 0.8
    comparison = Comparison()
    comparison.start(mask, reference)
    assert comparison.on
    assert (reference.visible, reference.contour) == (True, 1)
    comparison.stop()
    assert (reference.visible, reference.contour, mask.opacity) == (False, 0, 0.8)
    assert not comparison.on


def test_the_next_patient_takes_over_the_layers(
    viewer, case, add_mask, make_patient_folder, tmp_path
):
    """Images are refilled, not replaced; masks go; what the next patient lacks goes too."""
    desk = Desk(viewer)
    for data in case_layers(case):
        desk.place(data)
    desk.finish(case)
    flair = viewer.layers[3]
    flair.gamma = 0.7
    add_mask(case)
    other = load_case(
        make_patient_folder(
            tmp_path / "b",
            case_id="BraTS2021_00009",
            shape=(16, 18, 14),
            modalities=("t1", "flair"),
            reference=False,
            seed=9,
        )
    )
    desk.begin()
    assert len(viewer.layers) == 5
    for data in case_layers(other):
        desk.place(data)
    desk.finish(other)
    assert [layer.name for layer in viewer.layers] == [
        f"T1 {other.case_id}",
        f"FLAIR {other.case_id}",
    ]
    assert viewer.layers[1] is flair
    assert flair.gamma == 0.7
    assert tuple(flair.contrast_limits) == case_layers(other)[1][1]["contrast_limits"]
    np.testing.assert_array_equal(flair.data, case_layers(other)[1][0])
    assert desk.case() is other
    assert not desk.holds(tuple(case.image_paths.values()))


def test_a_patient_on_its_way_out_is_not_on_the_desk(viewer, case, tmp_path, make_patient_folder):
    """A mask that is ready while the next patient arrives must wait, not leave with the rest."""
    desk = Desk(viewer)
    desk.begin()
    for data in case_layers(case):
        desk.place(data)
    desk.finish(case)
    sources = desk.tag().sources
    assert desk.holds(sources)
    desk.begin()
    following = load_case(make_patient_folder(tmp_path / "next", case_id="BraTS2021_00009"))
    desk.place(case_layers(following)[0])
    assert not desk.holds(sources)


def test_the_first_slice_shows_the_tumor(viewer, case):
    """A patient opens on the axial slice with most tumor."""
    desk = Desk(viewer)
    for data in case_layers(case):
        desk.place(data)
    desk.finish(case)
    areas = np.count_nonzero(viewer.layers[-1].data, axis=(1, 2))
    assert viewer.dims.current_step[0] == areas.argmax()


def test_layers_of_others_stay(viewer, case):
    """What a person opened besides is not ours to remove."""
    desk = Desk(viewer)
    viewer.add_image(np.zeros((4, 4, 4)), name="mine")
    for data in case_layers(case):
        desk.place(data)
    desk.finish(case)
    desk.begin()
    desk.finish(case)
    assert "mine" in viewer.layers
