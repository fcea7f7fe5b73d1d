"""A script that ends without an event loop: no crash, and no stroke is lost."""

import subprocess
import sys

import pytest

from napari_brats.case import load_case
from napari_brats.editing.unsaved import find_unsaved

pytestmark = [pytest.mark.gui, pytest.mark.slow]

SCRIPT = """
import sys
import napari
from napari_brats.case import load_case
from napari_brats.plugin.layers import case_layers, mask_layer
from napari_brats.widgets.opening import build_layer
from napari_brats.widgets.segment import SegmentWidget

folder, end = sys.argv[1:]
viewer = napari.Viewer(show=False)
widget = SegmentWidget(viewer)
viewer.window.add_dock_widget(widget, name="Segment")
case = load_case(folder)
for data in (*case_layers(case), mask_layer(case, case.reference, "net")):
    viewer.add_layer(build_layer(data))
viewer.layers[-1].paint((3, 3, 3), 3)
if end == "working":
    widget.masks.save.click()
    widget.open(folder)
if end == "closed":
    viewer.close()
print("done", flush=True)
"""


@pytest.mark.parametrize("end", ["open", "closed", "working"])
def test_the_end_of_a_script(tmp_path, make_patient_folder, end):
    """Window open, window closed, or threads at work: the stroke is in a journal or is saved."""
    folder = make_patient_folder(tmp_path / "data")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), end],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    assert "Traceback" not in done.stderr
    case = load_case(folder)
    image = next(iter(case.image_paths.values()))
    left = find_unsaved(case.case_id, image)
    saved = list(folder.glob("*_mask.nii.gz"))
    assert len(saved) == (end == "working")
    assert [found.replay.voxels[3, 3, 3] for found in left] == [3]
    assert not list(folder.glob(".*.open"))
