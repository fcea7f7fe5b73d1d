"""Every whole-volume tool, whatever it is given."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_brats.editing.boxes import apply_edit
from napari_brats.editing.brushes import region_brushes, tissue_brushes
from napari_brats.editing.limits import Limits, Window, members
from napari_brats.editing.tools.table import ALL, TOOLS
from napari_brats.editing.tools.work import Work
from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, region_mask

SHAPE = (6, 7, 5)
CONVENTION = LABEL_CONVENTIONS["brats2024-gli"]
BRUSHES = (*region_brushes(CONVENTION), *tissue_brushes(CONVENTION))
KNOWN = [0, *(int(tissue) for tissue in CONVENTION.codes.values())]
PLAIN = Work(np.zeros(SHAPE, np.uint8), (1.0, 1.0, 1.0), None, BRUSHES)


@st.composite
def masks(draw):
    """Draw a mask of a few boxes, so that it has parts, holes, empty slices, or is empty."""
    mask = np.zeros(SHAPE, np.uint8)
    for _ in range(draw(st.integers(0, 5))):
        corner = [draw(st.integers(0, size - 1)) for size in SHAPE]
        place = tuple(slice(at, at + draw(st.integers(1, 4))) for at in corner)
        mask[place] = draw(st.sampled_from(KNOWN))
    return mask


@st.composite
def works(draw, tool):
    """Draw all that a tool may need, with limits."""
    images = [draw(arrays(np.float32, SHAPE, elements=st.integers(0, 3))) for _ in range(2)]
    sets = st.sampled_from([brush.tissues for brush in BRUSHES])
    limits = Limits(
        locks=tuple(draw(st.lists(sets, max_size=1))),
        inside=draw(st.none() | sets),
        windows=draw(st.sampled_from([(), (Window(images[0], 0, 2),)])),
    )
    brushes = [*BRUSHES, *([None] if ALL in tool.applies_to else [])]
    return Work(
        mask=draw(masks()),
        spacing_mm=draw(st.sampled_from([(1.0, 1.0, 1.0), (3.0, 1.0, 0.5)])),
        brush=draw(st.sampled_from(brushes)),
        brushes=BRUSHES,
        limits=limits,
        axis=draw(st.integers(0, 2)),
        seed=tuple(draw(st.integers(0, size - 1)) for size in SHAPE),
        other=draw(masks()),
        images=images,
    )


def values_of(draw, tool):
    """Draw parameters within their ranges, small ones for small masks."""
    found = {}
    for parameter in tool.parameters:
        if hasattr(parameter, "choices"):
            found[parameter.name] = draw(st.sampled_from(list(parameter.choices)))
        else:
            shares = st.sampled_from([parameter.low, parameter.default, parameter.high])
            found[parameter.name] = draw(shares)
    return found


def after(work, box):
    """Return the mask with a change made."""
    mask = work.mask.copy()
    if box is not None:
        apply_edit(mask, (box,))
    return mask


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_no_tool_breaks(tool, data):
    """Limits hold, only the edition's tissues appear, TC and ET stay in WT, the input stays."""
    look_at(tool, data)


@pytest.mark.slow
@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_no_tool_breaks_at_length(tool, data):
    """The same, many more times."""
    look_at(tool, data)


def look_at(tool, data):
    """Run a tool on what is drawn and look at the result."""
    work = data.draw(works(tool))
    before = work.mask.copy()
    box = tool.run(work, **values_of(data.draw, tool))
    np.testing.assert_array_equal(work.mask, before)
    mask = after(work, box)
    changed = mask != before
    assert (box is None) == (not changed.any())
    for lock in work.limits.locks:
        np.testing.assert_array_equal(members(lock)[mask], members(lock)[before])
    if work.limits.inside is not None:
        assert members(work.limits.inside)[before[changed]].all()
    for window in work.limits.windows:
        assert (window.image[changed] <= window.high).all()
    assert set(np.unique(mask)) <= set(KNOWN)
    whole, core, enhancing = (region_mask(mask, name) for name in REGIONS)
    assert not (enhancing & ~core).any()
    assert not (core & ~whole).any()
    inner = work.brush is not None and work.brush.name in ("TC", "ET")
    if inner and work.other is not None and tool.name not in ("take", "box"):
        np.testing.assert_array_equal(whole, region_mask(before, "WT"))


@settings(max_examples=10)
@given(data=st.data())
def test_interpolation_never_erases(data):
    """Filling between slices empties no region and touches no tissue that is in none."""
    work = data.draw(works(TOOLS["slices"]))
    mask = after(work, TOOLS["slices"].run(work, widest_mm=60))
    for name in REGIONS:
        assert not (region_mask(work.mask, name) & ~region_mask(mask, name)).any()
    assert (mask[work.mask == 4] == 4).all()
    if work.brush is not None and work.brush.name not in REGIONS:
        assert (work.mask[mask != work.mask] == 0).all()


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
@pytest.mark.parametrize("brush", [None, *BRUSHES], ids=lambda brush: brush and brush.name)
def test_empty_and_one_voxel(tool, brush):
    """An empty mask and one of a single voxel are nothing special."""
    if brush is None and ALL not in tool.applies_to:
        pytest.skip("the tool is for one region or tissue")
    mask = np.zeros(SHAPE, np.uint8)
    images = (np.zeros(SHAPE, np.float32),)
    work = Work(mask, (1, 1, 1), brush, BRUSHES, seed=(0, 0, 0), other=mask, images=images)
    for code in (0, 3):
        mask[2, 3, 4] = code
        box = tool.run(work)
        assert box is None or box.old.shape == box.new.shape


def test_parameters_are_checked():
    """A value out of range and an unknown word are refused with what would do."""
    with pytest.raises(ValueError, match=r"-1; expected 0.1 to 30 mm"):
        TOOLS["grow"].run(PLAIN, mm=-1)
    with pytest.raises(ValueError, match="'all'; expected one of"):
        TOOLS["take"].run(PLAIN, way="all")


def test_titles_and_defaults():
    """Names are keys; what stands in the table can be used as it is."""
    for name, tool in TOOLS.items():
        assert tool.name == name
        for parameter in tool.parameters:
            parameter.check(parameter.default)
