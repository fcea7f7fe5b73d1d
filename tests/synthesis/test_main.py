"""``python -m napari_brats.synthesis``."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_brats.case import load_case
from napari_brats.synthesis.__main__ import main
from napari_brats.volumes import write_image


@pytest.mark.slow
def test_one_command_makes_a_patient(
    tmp_path: Path, labels: NDArray[np.int32], capsys: pytest.CaptureFixture[str]
) -> None:
    """A label map in, a patient's folder out, its path on stdout."""
    head = tmp_path / "head.nii.gz"
    write_image(head, labels.astype(np.int16), np.diag([-5.0, -5.0, 5.0, 1.0]))
    case_id = "BraTS2021_00007"
    flags = ["--anatomy", str(head), "--seed", "3", "--kind", "ring", "--case", case_id]
    assert main([*flags, "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / case_id)
    assert load_case(tmp_path / case_id).reference is not None


def test_a_mistake_is_one_line_and_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file that is not there is named on stderr."""
    anatomy = tmp_path / "nothing.nii.gz"
    assert main(["--anatomy", str(anatomy), "--case", "BraTS2021_00001"]) == 2
    error = capsys.readouterr().err
    assert "nothing.nii.gz" in error
    assert len(error.splitlines()) == 1


def test_a_bad_id_is_found_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The id is checked before any file is read."""
    assert main(["--anatomy", str(tmp_path / "nothing.nii.gz"), "--case", "a/b"]) == 2
    assert "no patient's id" in capsys.readouterr().err
