"""Bad input: each broken patient gives one clear error, and nothing is lost.

`CORPUS` is one row a defect: what is done to a whole patient, and what the error must say.
"""

import contextlib
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.case import load_case
from napari_brats.errors import BratsError, CaseError, LabelError

T2 = "BraTS2021_00005_t2.nii.gz"
SEG = "BraTS2021_00005_seg.nii.gz"


@dataclass(frozen=True)
class Defect:
    """What is wrong with a patient, and what the error must say."""

    name: str
    inflict: Callable[[Path], object]
    error: type[BratsError]
    words: tuple[str, ...]


def edit(file: str, change: Callable[[np.ndarray], np.ndarray], dtype=None):
    """Return a defect that changes the voxels of a file."""

    def inflict(folder: Path) -> None:
        image = nib.load(folder / file)
        voxels = np.asanyarray(image.dataobj).copy()
        changed = change(voxels.astype(dtype) if dtype else voxels)
        nib.save(nib.Nifti1Image(changed, image.affine), folder / file)

    return inflict


def replace_bytes(file: str, change: Callable[[bytes], bytes]):
    """Return a defect that changes the bytes of a file."""
    return lambda folder: (folder / file).write_bytes(change((folder / file).read_bytes()))


def move(file: str, row: int, column: int, value: float):
    """Return a defect that changes one number of a file's affine."""

    def inflict(folder: Path) -> None:
        image = nib.load(folder / file)
        affine = image.affine.copy()
        affine[row, column] = value
        nib.save(nib.Nifti1Image(np.asanyarray(image.dataobj), affine), folder / file)

    return inflict


def set_voxel(value: float):
    def change(voxels: np.ndarray) -> np.ndarray:
        voxels[10, 11, 9] = value
        return voxels

    return change


def flip_bit(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def claim_32000_cubed(content: bytes) -> bytes:
    voxels = bytearray(gzip.decompress(content))
    voxels[42:48] = np.array([32000] * 3, "<i2").tobytes()
    return gzip.compress(bytes(voxels))


def keep_only(*names: str):
    def inflict(folder: Path) -> None:
        for path in folder.iterdir():
            if path.name not in names:
                path.unlink()

    return inflict


def rename_all(folder: Path) -> None:
    for index, path in enumerate(sorted(folder.iterdir())):
        path.rename(folder / f"heart_{index}.nii.gz")


CORPUS = (
    Defect("empty folder", keep_only(), CaseError, ("the folder is empty", "expected names")),
    Defect(
        "folder of another dataset",
        rename_all,
        CaseError,
        ("none of its 5 volumes is named like a modality", "'heart_0.nii.gz'"),
    ),
    Defect("mask without images", keep_only(SEG), CaseError, ("reference mask", "but no image")),
    Defect(
        "truncated file",
        replace_bytes(T2, lambda content: content[: len(content) // 2]),
        CaseError,
        (T2, "ends early", "download it again"),
    ),
    Defect(
        "cut off in the header",
        replace_bytes(T2, lambda content: content[:60]),
        CaseError,
        (T2,),
    ),
    Defect("flipped bit", replace_bytes(T2, flip_bit), CaseError, (T2, "is damaged")),
    Defect(
        "text file posing as a volume",
        replace_bytes(T2, lambda _: b"hello, I am a text file\n" * 50),
        CaseError,
        (T2, "is not a NIfTI file", "hello"),
    ),
    Defect(
        "compressed text posing as a volume",
        replace_bytes(T2, lambda _: gzip.compress(b"hello" * 500)),
        CaseError,
        (T2, "is not a NIfTI file", "hello"),
    ),
    Defect("empty file", replace_bytes(T2, lambda _: b""), CaseError, (T2, "is empty")),
    Defect(
        "header claiming 32000^3",
        replace_bytes(T2, claim_32000_cubed),
        CaseError,
        (T2, "claims", "cut off or its header is damaged"),
    ),
    Defect(
        "4D where 3D is expected",
        edit(T2, lambda voxels: np.stack([voxels, voxels], axis=-1)),
        CaseError,
        (T2, "is 4D with shape (20, 22, 18, 2) where 3D was expected"),
    ),
    Defect(
        "modality on another grid",
        edit(T2, lambda voxels: voxels[:-1]),
        CaseError,
        (T2, "(20, 22, 18)", "(19, 22, 18)", "resample"),
    ),
    Defect(
        "modality with another affine",
        move(T2, 1, 3, 0.0),
        CaseError,
        (T2, "has 239 at affine[1, 3]", "has 0", "resample"),
    ),
    Defect(
        "reference on another grid",
        edit(SEG, lambda voxels: voxels[..., :-1]),
        CaseError,
        (SEG, "(20, 22, 17)"),
    ),
    Defect(
        "NaN voxel",
        edit(T2, set_voxel(np.nan), "f4"),
        CaseError,
        (T2, "(t2) has 1 voxel that is NaN or infinite"),
    ),
    Defect(
        "infinite voxel",
        edit(T2, set_voxel(-np.inf), "f8"),
        CaseError,
        (T2, "(t2) has 1 voxel that is NaN or infinite"),
    ),
    Defect(
        "voxel beyond single precision",
        edit(T2, set_voxel(1e300), "f8"),
        CaseError,
        (T2, "NaN or infinite"),
    ),
    Defect("empty modality", edit(T2, np.zeros_like), CaseError, (T2, "every voxel is 0")),
    Defect(
        "constant modality",
        edit(T2, lambda voxels: np.full_like(voxels, 7)),
        CaseError,
        (T2, "every voxel is 7"),
    ),
    Defect(
        "unknown label code",
        edit(SEG, set_voxel(9)),
        LabelError,
        (SEG, "holds code 9", "'brats2017-2021'", "it has 1, 2, 4"),
    ),
    Defect(
        "codes of another edition",
        edit(SEG, set_voxel(3)),
        LabelError,
        (SEG, "holds code 3", "--labels: brats2012-2015, brats2024-gli, brats-met, brats-ped"),
    ),
    Defect("fractional label", edit(SEG, set_voxel(0.5), "f4"), LabelError, (SEG, "code 0.5")),
    Defect("negative label", edit(SEG, set_voxel(-1), "i2"), LabelError, (SEG, "code -1")),
    Defect("NaN label", edit(SEG, set_voxel(np.nan), "f4"), LabelError, (SEG, "code nan")),
)


@pytest.mark.parametrize("defect", CORPUS, ids=lambda defect: defect.name)
def test_each_defect_has_one_clear_error(defect, tmp_path, make_patient_folder):
    """One line that names the file, what was found and what to do; no file is touched."""
    folder = make_patient_folder(tmp_path)
    defect.inflict(folder)
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(defect.error) as caught:
        load_case(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert repr(str(folder))[1:-1] in message
    for words in defect.words:
        assert words in message
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_whole_patient_of_these_tests_loads(tmp_path, make_patient_folder):
    """Without a defect the same patient is fine."""
    assert load_case(make_patient_folder(tmp_path)).missing == ()


def test_fifth_channel_that_the_description_promises(tmp_path, make_patient_folder):
    """A Decathlon description that does not fit its 4D file is an error."""
    image = make_patient_folder(tmp_path, "msd-task01")
    modality = {"0": "T1w", "1": "t1gd", "2": "T2w", "4": "FLAIR"}
    (tmp_path / "dataset.json").write_text(json.dumps({"modality": modality}))
    with pytest.raises(CaseError, match=r"has 4 channels but dataset.json gives flair as channel"):
        load_case(image)


def test_3d_file_in_a_decathlon_folder(tmp_path, make_patient_folder):
    """3D where 4D is expected."""
    image = make_patient_folder(tmp_path, "msd-task01")
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.int16), np.eye(4)), image)
    with pytest.raises(CaseError, match=r"is 3D .* where 4D was expected; choose another file"):
        load_case(image)


@settings(max_examples=150)
@given(
    positions=st.lists(st.integers(0, 360), min_size=1, max_size=6, unique=True),
    values=st.lists(st.integers(0, 255), min_size=6, max_size=6),
    compressed=st.booleans(),
)
def test_random_bytes_in_the_header(tmp_path_factory, positions, values, compressed):
    """Whatever stands in a header, the answer is a case or a `BratsError`, at once."""
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / "x_t1.nii"
    voxels = np.arange(120, dtype=np.int16).reshape(4, 5, 6)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)
    content = bytearray(path.read_bytes())
    for position, value in zip(positions, values, strict=False):
        content[position] = value
    path.write_bytes(gzip.compress(bytes(content)) if compressed else bytes(content))
    with contextlib.suppress(BratsError):
        assert np.isfinite(load_case(path).images["t1"]).all()
