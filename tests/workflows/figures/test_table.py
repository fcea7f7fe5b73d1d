"""Every picture of the table, drawn on small patients and tables."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from PIL import Image

from napari_brats.regions import Tissue
from napari_brats.workflows.figures import (
    ANIMATIONS,
    FIGURES,
    CohortFigure,
    Options,
    PatientFigure,
    animation,
    encode,
    save,
)
from napari_brats.workflows.figures.patient import (
    AGREED,
    FALSE,
    MISSED,
    MISTAKEN,
    differences,
    overview,
)
from napari_brats.workflows.subject import Subject

MakeSubject = Callable[..., Subject]
PATIENT_FIGURES = [row for row in FIGURES.values() if isinstance(row, PatientFigure)]
COHORT_FIGURES = [row for row in FIGURES.values() if isinstance(row, CohortFigure)]


def drawn(figure: Figure) -> None:
    """Check that something is seen."""
    figure.set_dpi(20)
    figure.canvas.draw()
    assert np.ptp(np.asarray(figure.canvas.buffer_rgba())) > 0


@pytest.mark.parametrize("row", PATIENT_FIGURES, ids=lambda row: row.name)
def test_every_figure_is_drawn(row: PatientFigure, make_subject: MakeSubject) -> None:
    """Of a plain patient, and of the least there can be."""
    drawn(row.draw(make_subject("LPS"), Options(palette="brats")))
    least = make_subject(reference=row.reference, empty=True, modalities=("t1ce",))
    row.draw(least, Options())


@pytest.mark.parametrize("name", ["overview", "modalities", "difference", "contours", "sheet"])
def test_slices_tell_the_patient_s_sides(name: str, make_subject: MakeSubject) -> None:
    """An axial slice has all four letters, whatever it was cut to."""
    row = FIGURES[name]
    assert isinstance(row, PatientFigure)
    axes = row.draw(make_subject("LPS"), Options()).axes
    assert any({text.get_text() for text in one.texts} >= set("RLAP") for one in axes)


def test_a_png_is_written_whole(tmp_path: Path, make_subject: MakeSubject) -> None:
    """In a folder that was not there; nothing else lies beside it."""
    path = save(overview(make_subject(), Options()), tmp_path / "a" / "figure.png")
    assert imread(path).shape == (1140, 2100, 4)
    assert list(path.parent.iterdir()) == [path]


def test_drawing_leaves_matplotlib_alone(make_subject: MakeSubject) -> None:
    """A library must not change its user's backend."""
    before = mpl.get_backend(auto_select=False)
    encode(overview(make_subject(), Options()), dpi=20)
    assert mpl.get_backend(auto_select=False) == before


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pdf", "svg"])
def test_the_same_figure_gives_the_same_file(kind: str, make_subject: MakeSubject) -> None:
    """No date and no random name in it."""
    subject = make_subject(modalities=("t1",))
    files = [encode(overview(subject, Options()), kind, dpi=20) for _ in range(2)]
    assert files[0] == files[1]


def test_differences_by_hand() -> None:
    """Agreed, missed, false and mistaken, voxel by voxel."""
    prediction = np.array([0, 2, 0, 1, 3], np.uint8)
    reference = np.array([0, 2, 2, 0, 1], np.uint8)
    assert differences(prediction, reference).tolist() == [0, AGREED, MISSED, FALSE, MISTAKEN]


@pytest.mark.parametrize("name", ANIMATIONS)
@pytest.mark.parametrize("empty", [True, False])
def test_animations_move(
    name: str, make_subject: MakeSubject, monkeypatch: pytest.MonkeyPatch, *, empty: bool
) -> None:
    """A GIF of several different frames, for ever, one panel a mask; an empty mask is no error."""
    monkeypatch.setattr(animation, "_TURN_FRAMES", 3)
    subject = make_subject("LPS", empty=empty)
    picture = Image.open(BytesIO(ANIMATIONS[name].draw(subject, Options())))
    assert picture.info["loop"] == 0
    assert picture.n_frames >= 3
    assert picture.width == {"rotation": 2, "sweep": 3}[name] * animation._PANEL
    frames = []
    for place in range(3):
        picture.seek(place)
        frames.append(np.asarray(picture.convert("RGB")))
    assert (frames[0] != frames[1]).any()
    assert (frames[1] != frames[2]).any()


def test_a_mask_called_reference_hides_no_reference(
    make_subject: MakeSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both turn side by side."""
    monkeypatch.setattr(animation, "_TURN_FRAMES", 1)
    subject = make_subject()
    named = replace(subject, masks={"reference": subject.mask})
    picture = Image.open(BytesIO(ANIMATIONS["rotation"].draw(named, Options())))
    assert picture.width == 2 * animation._PANEL


def test_the_tissues_of_a_sweep_have_their_colors(make_subject: MakeSubject) -> None:
    """The enhancing spot is yellowish where the mask is shown."""
    picture = Image.open(BytesIO(ANIMATIONS["sweep"].draw(make_subject(), Options())))
    found = set()
    for place in range(picture.n_frames):
        picture.seek(place)
        panel = np.asarray(picture.convert("RGB"))[:, animation._PANEL : 2 * animation._PANEL]
        red, green, blue = (panel[..., channel].astype(int) for channel in range(3))
        found.add(bool(((red - blue > 60) & (green - blue > 60)).any()))
    assert found == {True, False}


def scores(count: int, *, undefined: bool = False) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return a table of scores with WT and ET; ET may lack a number."""
    rng = np.random.default_rng(count)
    names = ("dice", "hd95_mm", "nsd", "volume_ml", "reference_ml")
    table: dict[str, dict[str, dict[str, float | None]]] = {
        region: {name: {f"c{case}": float(rng.random()) for case in range(count)} for name in names}
        for region in ("WT", "ET")
    }
    if undefined:
        table["ET"]["hd95_mm"]["c0"] = None
    return table


@pytest.mark.parametrize("row", COHORT_FIGURES, ids=lambda row: row.name)
def test_every_cohort_figure_is_drawn(row: CohortFigure) -> None:
    """Many cases and one, two methods and one, with a missing number."""
    two = {"a": scores(8, undefined=True), "b": scores(2)}
    drawn(row.draw(two, Options(metric="hd95_mm")))
    row.draw({"a": scores(1)}, Options())


def test_bland_altman_by_hand() -> None:
    """Differences 1 and 3 ml: bias 2, limits 2 +- 1.96 times the SD of root 2."""
    volumes = {"volume_ml": {"a": 2.0, "b": 7.0}, "reference_ml": {"a": 1.0, "b": 4.0}}
    (row,) = (row for row in COHORT_FIGURES if row.name == "bland-altman")
    (axes,) = row.draw({"m": {"WT": volumes}}, Options()).axes
    heights = sorted(float(line.get_ydata()[0]) for line in axes.lines)
    reach = 1.96 * 2**0.5
    assert heights == pytest.approx(sorted([2 - reach, 0.0, 2.0, 2 + reach]))
    assert axes.collections[0].get_offsets().tolist() == [[1.5, 1.0], [5.5, 3.0]]


def test_missing_numbers_are_counted_on_the_axis() -> None:
    """A region that was missed must not vanish silently."""
    (row,) = (row for row in COHORT_FIGURES if row.name == "boxes")
    figure = row.draw({"a": scores(8, undefined=True)}, Options(metric="hd95_mm"))
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["WT\nn 8", "ET\nn 7\n1 undefined"]


def test_confusion_leaves_shared_background_out(make_subject: MakeSubject) -> None:
    """Rows are the reference's tissues; each adds up to one."""
    row = FIGURES["confusion"]
    subject = make_subject()
    edema = int((subject.mask == Tissue.EDEMA).sum())
    (axes,) = row.draw(subject, Options()).axes
    assert axes.images[0].get_array().tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 1]]
    texts = [text.get_text() for text in axes.texts]
    assert f"100%\n{edema * 2 / 1000:.1f} ml" in texts
