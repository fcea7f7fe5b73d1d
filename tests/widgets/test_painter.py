"""What was chosen, and the sentence that says what the next stroke does."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_brats.regions import LABEL_CONVENTIONS, Tissue
from napari_brats.widgets.painter import ANYWHERE, Band, Painter
from napari_brats.widgets.sample import Sample

GLI = LABEL_CONVENTIONS["brats2024-gli"]


@pytest.fixture
def painter():
    painter = Painter()
    painter.begin(GLI)
    return painter


def choose(painter, name):
    rows = (*painter.tissue_rows, *painter.region_rows)
    painter.choose(next(row for row in rows if row.name == name))


def test_before_any_mask():
    """Nothing is offered, nothing is painted, nothing fails."""
    painter = Painter()
    assert painter.rows == ()
    assert painter.stroke(1) is None
    assert "no tissue" in painter.summary(erasing=False)


def test_brushes_of_an_edition(painter):
    """Tissues in the order of their codes, with the cavity where the edition has it."""
    names = [row.name for row in painter.rows]
    assert names == ["necrosis", "edema", "enhancing tumor", "resection cavity"]
    painter.paint_regions(True)
    assert [row.name for row in painter.rows] == ["WT", "TC", "ET"]


def test_changing_the_way(painter):
    """The brush of the other way that paints the same is taken; a cavity has none."""
    choose(painter, "enhancing tumor")
    painter.paint_regions(True)
    assert painter.brush.name == "ET"
    painter.paint_regions(False)
    assert painter.brush.name == "enhancing tumor"
    choose(painter, "resection cavity")
    painter.paint_regions(True)
    assert painter.brush.name == "WT"


def test_another_edition(painter):
    """What it does not have is let go: brush, lock and place."""
    choose(painter, "resection cavity")
    painter.lock("resection cavity", True)
    painter.lock("edema", True)
    painter.stay_inside("resection cavity")
    painter.begin(LABEL_CONVENTIONS["brats2017-2021"])
    assert (painter.brush, painter.locks, painter.inside) == (None, {"edema"}, ANYWHERE)


def test_the_sentence(painter):
    """It names what changes and into what, and what the locks leave of it."""
    choose(painter, "edema")
    assert painter.summary(erasing=True) == "Erase: everything \u2192 background."
    choose(painter, "TC")
    assert painter.summary(erasing=False) == "Paint TC: edema \u2192 necrosis."
    assert painter.summary(erasing=True) == "Erase TC: necrosis, enhancing tumor \u2192 edema."
    painter.lock("ET", True)
    assert painter.summary(erasing=True) == "Erase TC: necrosis \u2192 edema."
    painter.lock("edema", True)
    assert painter.summary(erasing=False) == "Paint TC: nothing may change."
    painter.lock("ET", False)
    choose(painter, "necrosis")
    painter.stay_inside("WT")
    assert painter.summary(erasing=False) == "Paint necrosis: enhancing tumor \u2192 necrosis."
    image = SimpleNamespace(data=np.zeros(1))
    painter.set_bands((Band(image, "T1ce", 300.0, 812.5), Band(image, "T2", high=9.0)))
    assert painter.conditions() == "Only inside WT. T1ce 300 to 812.5. T2 up to 9. Locked: edema."


def test_limits(painter):
    """They hold what was chosen, as sets of tissues and arrays."""
    assert (painter.limits().locks, painter.limits().inside) == ((), None)
    image = SimpleNamespace(data=np.arange(3.0))
    painter.lock("ET", True)
    painter.stay_inside("background")
    painter.set_bands((Band(image, "T1ce", 1.0),))
    limits = painter.limits()
    assert limits.locks == (frozenset({Tissue.ENHANCING}),)
    assert limits.inside == frozenset({Tissue.BACKGROUND})
    assert limits.windows[0].image is image.data


def test_every_choice_is_told(painter):
    """Whoever shows the choices hears of each."""
    told = []
    painter.on_change.append(lambda: told.append(painter.inside))
    painter.stay_inside("WT")
    painter.lock("WT", True)
    choose(painter, "WT")
    assert told == ["WT"] * 3


def test_a_sample_counts_each_voxel_once():
    """Dabs overlap; the intensities are those of the box's own place."""
    sample = Sample((2, 3, 4))
    image = SimpleNamespace(data=np.arange(24.0).reshape(2, 3, 4))
    box = (slice(1, 2), slice(0, 2), slice(2, 4))
    sample.add(box, np.array([[[True, False], [True, True]]]))
    sample.add(box, np.array([[[True, False], [False, False]]]))
    (values,) = sample.values((Band(image, "T1"),))
    assert values.tolist() == [14.0, 18.0, 19.0]
    assert sample.size == 3
