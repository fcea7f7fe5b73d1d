"""DICOM segmentations: the right place whatever way the mask lies, and honest refusals."""

import sys
from pathlib import Path

import numpy as np
import pytest

from napari_brats.errors import CaseError, DependencyError, OutputError
from napari_brats.preprocessing.steps import Reorient
from napari_brats.volumes import write_mask
from napari_brats.workflows.convert import Job, convert

SHAPE = (7, 6, 5)
TISSUES = {(1, 2, 3): 1, (2, 2, 3): 2, (3, 4, 1): 4, (6, 0, 0): 4}
"""Voxels (column, row, slice) of the series, and their codes in the convention of 2021."""

SPACING = (0.8, 0.9, 3.0)
ORIGIN = np.array([-30.0, 12.5, -44.0])  # LPS, as DICOM counts


def turn(tilt):
    """Return the directions of columns, rows and slices in LPS, tilted about the first."""
    cosine, sine = np.cos(tilt), np.sin(tilt)
    return np.array([[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]])


def write_series(folder, tilt=0.0, skip=(), name="T1"):
    """Write a synthetic series, one file a slice, in an order that names do not tell."""
    pydicom = pytest.importorskip("pydicom", reason="needs the extra dicom")
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    folder.mkdir(exist_ok=True)
    study, series, frame = (generate_uid() for _ in range(3))
    directions = turn(tilt)
    for number in range(SHAPE[2]):
        if number in skip:
            continue
        one = pydicom.Dataset()
        one.file_meta = FileMetaDataset()
        one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        one.SOPClassUID = one.file_meta.MediaStorageSOPClassUID = MRImageStorage
        one.SOPInstanceUID = one.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        one.StudyInstanceUID, one.SeriesInstanceUID = study, series
        one.FrameOfReferenceUID, one.Modality = frame, "MR"
        one.SeriesDescription, one.SeriesNumber, one.InstanceNumber = name, 1, number + 1
        one.PatientName, one.PatientID, one.StudyID = "Phantom^Ada", "P-1", "1"
        one.PatientBirthDate = one.PatientSex = one.AccessionNumber = ""
        one.StudyDate, one.StudyTime, one.ReferringPhysicianName = "20260101", "120000", ""
        one.Manufacturer, one.PositionReferenceIndicator = "none", ""
        one.Rows, one.Columns = SHAPE[1], SHAPE[0]
        one.PixelSpacing = [SPACING[1], SPACING[0]]  # between rows, between columns
        one.SliceThickness = SPACING[2]
        one.ImageOrientationPatient = [*directions[0], *directions[1]]
        one.ImagePositionPatient = [*(ORIGIN + number * SPACING[2] * directions[2])]
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 16, 16, 15, 0
        one.PixelData = np.full(SHAPE[:2], number, np.uint16).T.tobytes()
        one.save_as(folder / f"{(number * 3) % SHAPE[2]}-{name}.dcm", enforce_file_format=True)
    (folder / "notes.txt").write_text("no DICOM")
    return folder


def mask_file(path, tilt=0.0, orientation=None):
    """Write the mask on the series' grid, or turned to another axis order."""
    affine = np.eye(4)
    affine[:3, :3] = (turn(tilt) * np.array(SPACING)[:, None]).T
    affine[:3, 3] = ORIGIN
    affine = np.diag([-1.0, -1, 1, 1]) @ affine
    codes = np.zeros(SHAPE, np.float32)
    for place, code in TISSUES.items():
        codes[place] = code
    if orientation:
        stack, affine, _ = Reorient(orientation).apply(codes[None], affine)
        codes = stack[0]
    return write_mask(path, codes.astype(np.uint8), affine, convention="brats2017-2021")


@pytest.mark.parametrize("tilt", [0.0, 0.3])
@pytest.mark.parametrize("orientation", [None, "RAS", "PIR"])
def test_segments_lie_where_the_mask_says(tmp_path: Path, tilt, orientation) -> None:
    """Read back by another program's rules: each voxel's place in mm and its tissue."""
    series = write_series(tmp_path / "dicom", tilt)
    import highdicom

    mask = mask_file(tmp_path / "case_net_mask.nii.gz", tilt, orientation)
    (path,) = convert("dicom-seg", Job(mask, dicom=series))
    assert path == tmp_path / "case_net_mask_seg.dcm"
    found = highdicom.seg.segread(path)
    labels = {one.segment_number: one.segment_label for one in found.SegmentSequence}
    assert set(labels.values()) == {"necrosis", "edema", "enhancing tumor"}
    assert str(found.PatientName) == "Phantom^Ada"
    volume = found.get_volume(combine_segments=True)
    places = {
        tuple(np.round(volume.affine @ [*index, 1], 3)[:3]): labels[int(volume.array[tuple(index)])]
        for index in np.argwhere(volume.array)
    }
    directions, words = turn(tilt), {1: "necrosis", 2: "edema", 4: "enhancing tumor"}
    expected = {
        tuple(np.round(ORIGIN + (np.array(place) * SPACING) @ directions, 3)): words[code]
        for place, code in TISSUES.items()
    }
    assert len(places) == len(expected)
    for place, word in expected.items():
        nearest = min(places, key=lambda other: np.abs(np.subtract(other, place)).max())
        assert np.allclose(nearest, place, atol=0.01)
        assert places[nearest] == word


def test_what_would_be_wrong_is_refused(tmp_path: Path) -> None:
    """No series named, none there, two of them, a gap, another grid, an empty mask, an ending."""
    series = write_series(tmp_path / "dicom")
    mask = mask_file(tmp_path / "mask.nii.gz")
    empty = write_mask(
        tmp_path / "empty.nii.gz", np.zeros(SHAPE, np.uint8), np.eye(4), convention="msd"
    )
    gap = write_series(tmp_path / "gap", skip=(2,))
    two = write_series(write_series(tmp_path / "two"), name="T2")
    (tmp_path / "none").mkdir()
    for job, words in (
        (Job(mask), "--dicom"),
        (Job(mask, dicom=tmp_path / "nowhere"), "no folder"),
        (Job(mask, dicom=tmp_path / "none"), "no DICOM slices"),
        (Job(mask, dicom=two), r"2 series \(T1 \(5 slices\), T2 \(5 slices\)\)"),
        (Job(mask, dicom=gap), "even distances"),
        (Job(empty, dicom=series), r"series' voxels.*affine\["),
        (Job(mask_file(tmp_path / "tilted.nii.gz", 0.2), dicom=series), "series' voxels"),
    ):
        with pytest.raises(CaseError, match=words):
            convert("dicom-seg", job)
    with pytest.raises(OutputError, match=r"\.dcm"):
        convert("dicom-seg", Job(mask, dicom=series, output=tmp_path / "x.nii"))
    assert not [*tmp_path.glob("*.dcm")]


def test_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(DependencyError, match=r"napari-brats\[dicom\]"):
        convert("dicom-seg", Job(mask_file(tmp_path / "mask.nii.gz"), dicom=tmp_path))


def test_files_of_the_series_stay(tmp_path: Path) -> None:
    """A slice is never written over; one that does not say where it lies is passed over."""
    series = write_series(tmp_path / "dicom")
    import pydicom

    broken = pydicom.dcmread(series / "0-T1.dcm")
    del broken.ImageOrientationPatient
    broken.save_as(series / "localizer.dcm")
    mask = mask_file(tmp_path / "mask.nii.gz")
    before = (series / "1-T1.dcm").read_bytes()
    with pytest.raises(OutputError, match="a slice of the series"):
        convert("dicom-seg", Job(mask, dicom=series, output=series / "1-T1.dcm"))
    assert (series / "1-T1.dcm").read_bytes() == before
    (written,) = convert("dicom-seg", Job(mask, dicom=series))
    assert written.exists()
