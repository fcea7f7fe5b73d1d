import json
import subprocess
import sys

import pytest

from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.training.curves import read_log


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path, make_patient_folder):
    """Two CPU processes share the samples and leave one set of weights, one log and one split."""
    patients = [
        str(
            make_patient_folder(
                tmp_path, case_id=f"BraTS2021_0000{n}", shape=(34, 36, 32), seed=9 * n
            )
        )
        for n in (5, 6)
    ]
    output = tmp_path / "run"
    command = [
        sys.executable, "-m", "napari_brats", "train", "--data", *patients, "--holdout", "1",
        "--output", str(output), "--steps", "4", "--check-steps", "2", "--batch", "2",
        "--crop", "16", "16", "16", "--workers", "0", "--no-fuse", "--no-mixed-precision",
        "--device", "cpu", "--devices", "2",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    _, card = load_checkpoint(output / "dresunet3d-lite.safetensors")
    assert (card.training["steps"], card.training["batch"]) == (4, 4)
    assert len(read_log(output / "log")["loss"]) == 4
    assert len(json.loads((output / "split.json").read_text())["holdout"]) == 1
