import json
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

from napari_brats.errors import TrainingError
from napari_brats.training.split import check_split, grade_of, held_out, write_split


def test_nobody_is_held_out_of_nothing():
    """Empty case, and the last patient always stays for training."""
    assert held_out([], holdout=3) == []
    assert held_out([""], holdout=3) == []
    assert len(held_out(["", ""], holdout=3)) == 1


def test_the_grade_is_a_folder_of_the_path():
    """BraTS 2012-2019 kept two folders; later editions tell no grade."""
    assert grade_of(Path("/data/LGG/Brats18_1/t1.nii")) == "LGG"
    assert grade_of(Path("/data/BraTS2021_00001/t1.nii")) == ""


def test_folds_part_the_patients_by_grade():
    """Each patient is in one fold; every fold has its share of both grades."""
    grades = ["HGG"] * 12 + ["LGG"] * 6
    parts = [held_out(grades, folds=3, fold=fold, seed=5) for fold in range(3)]
    assert sorted(chain(*parts)) == list(range(18))
    assert all(Counter(grades[i] for i in part) == {"HGG": 4, "LGG": 2} for part in parts)
    assert parts != [held_out(grades, folds=3, fold=fold, seed=6) for fold in range(3)]


@pytest.mark.parametrize(("folds", "fold"), [(1, 0), (5, 5), (5, -1), (7, 0)])
def test_a_fold_that_is_not_there(folds, fold):
    """Both numbers are named with what is possible."""
    with pytest.raises(TrainingError, match="--folds from 2"):
        held_out([""] * 6, folds=folds, fold=fold)


def test_a_resumed_training_has_its_patients(tmp_path):
    """The same ones in whatever order; others, by which the held-out change, are named."""
    write_split(tmp_path, [Path("a-1.npy"), Path("b-2.npy")], [Path("c-3.npy")])
    check_split(tmp_path, [Path("b-9.npy"), Path("a-1.npy")], [Path("c-3.npy")])
    now = [Path("c-3.npy"), Path("b-2.npy"), Path("d-4.npy")]
    with pytest.raises(TrainingError, match=r"1 more \(such as 'd'\), 0 gone; give the same"):
        check_split(tmp_path, now, [Path("a-1.npy")])
    with pytest.raises(TrainingError, match="cannot be read"):
        check_split(tmp_path / "elsewhere", [], [])


def test_the_split_is_written(tmp_path):
    """Who was in which part can be looked up later."""
    write_split(tmp_path, [Path("a-1.npy")], [Path("b-2.npy"), Path("c-3.npy")])
    split = json.loads((tmp_path / "split.json").read_text())
    assert split == {"train": ["a-1"], "holdout": ["b-2", "c-3"]}
