import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from napari_brats.training.curves import read_log
from napari_brats.training.resume import STATE_NAME


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_last_check(tmp_path, make_patient_folder):
    """Killed without a chance to write anything, it ends with the losses of one that was not."""
    patient = make_patient_folder(tmp_path, shape=(34, 36, 32))

    def train(name, *more):
        command = [
            sys.executable, "-m", "napari_brats", "train", "--output", str(tmp_path / name),
            "--cache", str(tmp_path / "cache"), *more,
        ]  # fmt: skip
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def finish(name, *more):
        _, errors = (process := train(name, *more)).communicate(timeout=240)
        assert process.returncode == 0, errors.decode()
        return read_log(tmp_path / name / "log")["loss"]

    settings = (
        "--data", str(patient), "--holdout", "0", "--steps", "40", "--check-steps", "3",
        "--batch", "2", "--crop", "16", "16", "16", "--workers", "0", "--no-fuse",
        "--no-mixed-precision", "--device", "cpu",
    )  # fmt: skip
    whole = finish("whole", *settings)
    killed, state = train("killed", *settings), tmp_path / "killed" / STATE_NAME
    while not state.is_file() and killed.poll() is None:
        time.sleep(0.02)
    assert killed.poll() is None, "it ended before it could be killed"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    killed.stderr.close()
    np.testing.assert_allclose(finish("killed", "--resume"), whole, rtol=1e-6)
