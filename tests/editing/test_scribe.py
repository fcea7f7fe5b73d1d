"""The scribe: what was touched is on disk within two seconds, even if the program is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from napari_brats.editing.journal import read_journal
from napari_brats.editing.places import journal_folders
from napari_brats.editing.recorder import Recorder
from napari_brats.editing.scribe import Scribe
from napari_brats.errors import OutputError

PROMISE_S = 2.0


def test_a_touched_mask_is_written(base, subject):
    """The file follows by itself; closing writes what is still due."""
    mask = base.copy()
    recorder = Recorder(lambda: mask, subject, journal_folders(subject), base)
    scribe = Scribe(delay_s=0.01)
    mask[0, 0, 0] = 3
    scribe.touch(recorder)
    end = time.monotonic() + 20
    while recorder.path is None and time.monotonic() < end:
        time.sleep(0.01)
    assert read_journal(recorder.path).voxels[0, 0, 0] == 3
    mask[0, 0, 1] = 1
    scribe.touch(recorder)
    scribe.close()
    assert read_journal(recorder.path).voxels[0, 0, 1] == 1


def test_trouble_is_told_and_survived():
    """A mask that cannot be written, for whatever reason, does not stop the next one."""
    done = threading.Event()

    class Stub:
        def __init__(self, error=None):
            self.error = error

        def record(self):
            if self.error is not None:
                raise self.error
            done.set()

    scribe = Scribe(delay_s=0.01)
    for error, words in ((OutputError("full"), "full"), (RuntimeError("odd"), "report this")):
        done.clear()
        scribe.touch(Stub(error))
        end = time.monotonic() + 20
        while words not in scribe.trouble and time.monotonic() < end:
            time.sleep(0.01)
        assert words in scribe.trouble
        scribe.touch(Stub())
        assert done.wait(20)
    scribe.close()
    assert scribe.trouble == ""


PAINTER = """
import sys, time
from pathlib import Path
import numpy as np
from napari_brats.editing.journal import Subject
from napari_brats.editing.recorder import Recorder
from napari_brats.editing.scribe import Scribe

folder = Path(sys.argv[1])
mask = np.zeros((155, 240, 240), np.uint8)
subject = Subject("case", "net", str(folder / "image.nii.gz"), "", "IPL", (1.0,) * 16)
recorder = Recorder(lambda: mask, subject, [folder], mask)
scribe = Scribe()
rng = np.random.default_rng(0)
flat = mask.reshape(-1)
for stroke in range(1, 10**6):
    # Stroke n leaves its number, in four voxels of its own.
    flat[4 * stroke : 4 * stroke + 4] = np.array([stroke], np.uint32).view(np.uint8)
    scribe.touch(recorder)
    print(stroke, time.time(), flush=True)
    time.sleep(rng.uniform(0.0, 0.02))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
@pytest.mark.parametrize("seed", range(6))
def test_killed_at_a_random_moment(tmp_path, seed):
    """`kill -9`: every stroke older than two seconds is back, and no stroke is half there."""
    wait_s = np.random.default_rng(seed).uniform(0.5, 4.0)
    with (tmp_path / "said").open("w") as said:
        painter = subprocess.Popen([sys.executable, "-c", PAINTER, str(tmp_path)], stdout=said)
        while not (tmp_path / "said").stat().st_size:
            time.sleep(0.01)
        time.sleep(PROMISE_S + wait_s)
        killed_at = time.time()
        painter.send_signal(signal.SIGKILL)
        painter.wait()
    lines = [line.split() for line in (tmp_path / "said").read_text().splitlines()[:-1]]
    old = [int(stroke) for stroke, moment in lines if float(moment) < killed_at - PROMISE_S]
    (journal,) = Path(tmp_path).glob(".case-*.journal")
    found = read_journal(journal).voxels.reshape(-1).view(np.uint32)
    strokes = np.array(old)
    np.testing.assert_array_equal(found[strokes], strokes)
    assert len(old) > 10
