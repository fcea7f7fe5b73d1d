"""What goes out to another format comes back as it was."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from napari_brats.case import load_case
from napari_brats.errors import CaseError, LabelError, OutputError, TakenError
from napari_brats.preprocessing.steps import ByteRange, Reorient
from napari_brats.regions import LABEL_CONVENTIONS, Tissue, region_mask
from napari_brats.volumes import recorded_convention, write_mask
from napari_brats.workflows.convert import FRAMES, MESH_FORMATS, Job, convert
from napari_brats.workflows.convert.labels import losses
from napari_brats.workflows.surfaces import Surface, surface_of

MakePatient = Callable[..., Path]
CASE = "BraTS2021_00005"
RAS = np.array([[1.0, 0, 0, -7], [0, 1.5, 0, 3], [0, 0, 2.0, 11], [0, 0, 0, 1]])


def codes_of(path: Path) -> NDArray[np.uint8]:
    return np.asarray(nib.load(path).dataobj).astype(np.uint8)


@settings(max_examples=8)
@given(
    orientation=st.sampled_from(["RAS", "LPS", "PIR", "SLA", "AIL"]),
    shape=st.tuples(*[st.integers(1, 7)] * 3),
    seed=st.integers(0, 99),
)
def test_a_mask_survives_png(orientation: str, shape: tuple[int, ...], seed: int) -> None:
    """Any orientation and shape: the same codes, grid and header as before."""
    assume(np.prod(shape) > 1)  # an image of one voxel has no contrast and is no patient
    rng = np.random.default_rng(seed)
    stack, affine, _ = Reorient(orientation).apply(
        np.stack([rng.choice([0, 1, 2, 4], shape), rng.random(shape) + 1]).astype(np.float32), RAS
    )
    with TemporaryDirectory() as name:
        folder = Path(name) / CASE
        folder.mkdir()
        stack[1].ravel()[0] = 0.5
        nib.save(nib.Nifti1Image(stack[1], affine), folder / f"{CASE}_flair.nii.gz")
        mask = folder / f"{CASE}_net_mask.nii.gz"
        write_mask(mask, stack[0].astype(np.uint8), affine, convention="brats2017-2021")
        slices = convert("mask-png", Job(mask, output=Path(name) / "slices"))
        assert len({path.name for path in slices}) == len(slices)
        (back,) = convert(
            "png-mask", Job(Path(name) / "slices", like=folder, output=Path(name) / "b.nii.gz")
        )
        assert np.array_equal(codes_of(back), stack[0])
        assert np.allclose(nib.load(back).affine, affine)


def test_slices_have_the_modalities_as_channels(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """DR-Unet104's order and scaling; front up, right on the left, numbered from the feet."""
    folder = make_patient_folder(tmp_path)
    files = convert("png", Job(folder, output=tmp_path / "png"))
    assert [path.name for path in files[:2]] == [f"{CASE}_000.png", f"{CASE}_001.png"]
    case = load_case(folder)
    with Image.open(files[9]) as picture:
        assert picture.mode == "RGBA"
        pixels = np.asarray(picture)
    names = ("flair", "t1ce", "t1", "t2")
    stack = np.stack([case.images[name] for name in names])
    expected = np.rint(ByteRange().apply(stack, case.affine)[0] * 255)
    # The test patients point left, back, up: a slice is the transpose of the file's.
    assert np.array_equal(pixels, expected[:, :, :, 9].transpose(2, 1, 0))


def test_arrays_lead_back_to_the_file(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """box.json says where the crop began, negative where it was padded."""
    folder = make_patient_folder(tmp_path)
    convert("npy", Job(folder, output=tmp_path / "npy", crop=(16, 24, 18)))
    facts = json.loads((tmp_path / "npy" / "box.json").read_text())
    images, mask = (np.load(tmp_path / "npy" / f"{name}.npy") for name in ("images", "mask"))
    assert images.shape == (4, 16, 24, 18)
    assert facts["start"] == [2, -1, 0]
    case = load_case(folder)
    for place, name in enumerate(facts["channels"]):
        assert np.array_equal(images[place, :, 1:23], case.images[name][2:18])
    assert np.array_equal(mask[:, 1:23], codes_of(folder / f"{CASE}_seg.nii.gz")[2:18])
    corner = np.array(facts["affine"]) @ [0, 0, 0, 1]
    assert corner == pytest.approx(case.affine @ [*facts["start"], 1])


def test_imagej_reads_channels_and_voxel_size(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """A ZCYX hyperstack in mm with a label for each channel, the mask's codes as the last."""
    from tifffile import TiffFile

    folder = make_patient_folder(tmp_path, affine=np.diag([-1.0, -1.0, 2.5, 1.0]))
    (path,) = convert("imagej", Job(folder, output=tmp_path / "stack.tif"))
    with TiffFile(path) as file:
        facts, series = file.imagej_metadata, file.series[0]
        assert series.axes == "ZCYX"
        stack = series.asarray()
    assert facts["unit"] == "mm"
    assert facts["spacing"] == 2.5
    assert facts["Labels"][:5] == ["t1", "t1ce", "t2", "flair", "mask (brats2017-2021)"]
    case = load_case(folder)
    assert np.array_equal(stack[:, 1], case.images["t1ce"].transpose(2, 1, 0))
    assert np.array_equal(stack[:, 4], codes_of(folder / f"{CASE}_seg.nii.gz").transpose(2, 1, 0))


@pytest.mark.parametrize("other", ["brats2023-gli", "msd", "brats2012-2015"])
def test_codes_go_there_and_back(
    other: str, tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """Where nothing merges, the codes of another edition lead back to the same file."""
    source = make_patient_folder(tmp_path) / f"{CASE}_seg.nii.gz"
    (there,) = convert("labels", Job(source, to=other, output=tmp_path / "a.nii.gz"))
    assert recorded_convention(there) == other
    assert set(np.unique(codes_of(there))) - {0} <= set(LABEL_CONVENTIONS[other].codes)
    job = Job(there, to="brats2017-2021", output=tmp_path / "b.nii.gz")
    assert np.array_equal(codes_of(convert("labels", job)[0]), codes_of(source))


def test_what_is_lost_is_said() -> None:
    """Merged and dropped tissues are named with their volume; kept ones are not."""
    tissues = np.array([0, 1, 2, 2, 3, 6], np.uint8).reshape(1, 1, 6)
    assert losses(tissues, LABEL_CONVENTIONS["brats2012-2015"], 1.0) == [
        "'brats2012-2015' has no code for cystic component: 1.0 ml becomes non-enhancing tumor "
        "and cannot be told apart again"
    ]
    assert "2.0 ml is dropped" in " ".join(losses(tissues, LABEL_CONVENTIONS["brats-men-rt"], 1.0))
    assert losses(tissues[..., :5], LABEL_CONVENTIONS["msd"], 1.0) == []


def test_a_tissue_without_a_place_to_go_is_refused(tmp_path: Path) -> None:
    """A cavity has no code in 2021, and nothing it could be merged with."""
    mask = tmp_path / "m.nii.gz"
    write_mask(mask, np.full((2, 2, 2), 4, np.uint8), RAS, convention="brats2024-gli")
    with pytest.raises(LabelError, match="no code for 'resection cavity'"):
        convert("labels", Job(mask, to="brats2017-2021"))
    assert list(tmp_path.iterdir()) == [mask]


def read_mesh(path: Path) -> Surface:
    """Read a mesh as other programs would, by the formats' own descriptions."""
    raw = path.read_bytes()
    if path.suffix == ".obj":
        rows = [line.split() for line in raw.decode().splitlines()]
        vertices = [list(map(float, row[1:])) for row in rows if row[0] == "v"]
        faces = [[int(number) - 1 for number in row[1:]] for row in rows if row[0] == "f"]
        return Surface(np.array(vertices, np.float32), np.array(faces, np.int32))
    if path.suffix == ".stl":
        (count,) = struct.unpack_from("<I", raw, 80)
        assert len(raw) == 84 + 50 * count
        records = [struct.unpack_from("<12f", raw, 84 + 50 * place) for place in range(count)]
        corners = np.array(records, np.float32).reshape(-1, 4, 3)
        plane = np.cross(corners[:, 2] - corners[:, 1], corners[:, 3] - corners[:, 1])
        assert (np.einsum("ij,ij->i", plane, corners[:, 0]) > 0).all()
        return Surface(corners[:, 1:].reshape(-1, 3), np.arange(3 * count).reshape(-1, 3))
    header, _, body = raw.partition(b"end_header\n")
    words = header.split()
    points, count = (int(words[words.index(name) + 1]) for name in (b"vertex", b"face"))
    vertices = np.frombuffer(body, "<f4", 3 * points).reshape(-1, 3)
    faces = [struct.unpack_from("<B3i", body, 12 * points + 13 * place) for place in range(count)]
    assert all(face[0] == 3 for face in faces)
    return Surface(vertices, np.array(faces)[:, 1:].astype(np.int32))


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("kind", MESH_FORMATS)
def test_meshes_keep_volume_and_place(kind: str, frame: str, tmp_path: Path) -> None:
    """In mm, outward, in the frame that the header says; an empty region is named."""
    tissues = np.zeros((12, 14, 9), np.uint8)
    tissues[2:9, 3:11, 2:6] = Tissue.EDEMA
    tissues[4:7, 5:9, 3:5] = Tissue.NECROSIS
    mask, notices = tmp_path / "m_mask.nii.gz", []
    codes = np.where(tissues == Tissue.NECROSIS, 1, np.where(tissues, 2, 0)).astype(np.uint8)
    write_mask(mask, codes, RAS, convention="brats2017-2021")
    job = Job(mask, output=tmp_path / "out", mesh=kind, frame=frame, on_notice=notices.append)
    files = convert("mesh", job)
    assert [path.name for path in files] == [f"m_mask_WT.{kind}", f"m_mask_TC.{kind}"]
    assert notices == ["ET is empty and gets no file"]
    for path, region in zip(files, ("WT", "TC"), strict=True):
        assert f"SPACE={frame}".encode() in path.read_bytes()[:200]
        expected = surface_of(region_mask(tissues, region), RAS)
        found = read_mesh(path)
        assert found.volume_ml == pytest.approx(expected.volume_ml, rel=1e-4)
        low, high = (edge(expected.vertices * FRAMES[frame], axis=0) for edge in (np.min, np.max))
        assert found.vertices.min(axis=0) == pytest.approx(low, abs=1e-3)
        assert found.vertices.max(axis=0) == pytest.approx(high, abs=1e-3)


def test_wrong_slices_are_refused(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """A missing one, another size, colors, other codes, no patient: each says what is wrong."""
    folder = make_patient_folder(tmp_path)
    slices = tmp_path / "slices"
    files = convert("mask-png", Job(folder / f"{CASE}_seg.nii.gz", output=slices))
    job = Job(slices, like=folder, output=tmp_path / "back.nii.gz")
    with pytest.raises(CaseError, match="--like"):
        convert("png-mask", Job(slices))
    with Image.open(files[3]) as picture:
        whole = picture.copy()
    for wrong, message in (
        (whole.resize((5, 5)), "expected 8-bit gray codes"),
        (whole.convert("RGB"), "'RGB' picture"),
        (Image.new("L", whole.size, 9), "holds code 9"),
    ):
        wrong.save(files[3])
        with pytest.raises((CaseError, LabelError), match=message):
            convert("png-mask", job)
    files[3].write_bytes(b"no picture")
    with pytest.raises(CaseError, match="cannot read"):
        convert("png-mask", job)
    files[3].unlink()
    with pytest.raises(CaseError, match="17 slices, without 3, expected 18"):
        convert("png-mask", job)
    whole.save(slices / "other_0004.png")
    with pytest.raises(CaseError, match="are both slice"):
        convert("png-mask", job)
    assert not (tmp_path / "back.nii.gz").exists()


def test_outputs_are_whole_or_not_there(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """A folder with something in it, a source file, a wrong ending: nothing changes."""
    folder = make_patient_folder(tmp_path)
    seg = folder / f"{CASE}_seg.nii.gz"
    before = seg.read_bytes()
    with pytest.raises(OutputError, match="not empty"):
        convert("mask-png", Job(seg, output=folder))
    with pytest.raises(OutputError, match="source file"):
        convert("labels", Job(seg, to="msd", output=seg))
    with pytest.raises(OutputError, match="does not end in"):
        convert("labels", Job(seg, to="msd", output=tmp_path / "m.png"))
    assert seg.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [CASE]


def test_slices_in_other_codes_than_the_patients(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """What mask-png wrote with --to comes back with --labels; the reference is not asked."""
    folder = make_patient_folder(tmp_path)
    reference = folder / f"{CASE}_seg.nii.gz"
    convert("mask-png", Job(reference, to="brats2023-gli", output=tmp_path / "slices"))
    job = Job(tmp_path / "slices", like=folder, labels="brats2023-gli")
    (back,) = convert("png-mask", job)
    assert recorded_convention(back) == "brats2023-gli"
    assert np.array_equal(
        codes_of(back), np.where(codes_of(reference) == 4, 3, codes_of(reference))
    )
    with pytest.raises(OutputError, match="source file"):
        convert("png-mask", replace(job, output=reference))


def test_every_loss_is_named(tmp_path: Path, make_patient_folder: MakePatient) -> None:
    """Slices and arrays of codes that cannot hold a tissue say so, like a mask's file."""
    folder = make_patient_folder(tmp_path)
    lines: list[str] = []
    mask = tmp_path / "ped.nii.gz"
    write_mask(
        mask, np.full((20, 22, 18), 3, np.uint8), load_case(folder).affine, convention="brats-ped"
    )
    slices = Job(mask, to="brats-men-rt", output=tmp_path / "png", on_notice=lines.append)
    convert("mask-png", slices)
    convert("npy", Job(folder, mask=mask, output=tmp_path / "npy", on_notice=lines.append))
    assert [line.partition(":")[0] for line in lines if "no code for" in line] == [
        "'brats-men-rt' has no code for cystic component",
        "'brats2017-2021' has no code for cystic component",
    ]


def test_a_mask_under_its_default_name_stays(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """Somebody may have corrected it; who names the file may replace it."""
    mask = make_patient_folder(tmp_path) / f"{CASE}_seg.nii.gz"
    (first,) = convert("labels", Job(mask, to="msd"))
    first.write_bytes(b"corrected")
    with pytest.raises(TakenError, match="exists already"):
        convert("labels", Job(mask, to="msd"))
    assert first.read_bytes() == b"corrected"
    convert("labels", Job(mask, to="msd", output=first))
    assert recorded_convention(first) == "msd"


def test_where_no_folder_can_be_put(
    tmp_path: Path, make_patient_folder: MakePatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder one stands in is not replaced, and meshes do not go into a folder x.stl."""
    folder = make_patient_folder(tmp_path)
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(OutputError, match="where you are"):
        convert("npy", Job(folder, output=Path()))
    with pytest.raises(OutputError, match="give a folder"):
        convert("mesh", Job(folder / f"{CASE}_seg.nii.gz", output=tmp_path / "x.stl"))
    assert not (tmp_path / "x.stl").exists()


def test_from_within_the_slices_folder(
    tmp_path: Path, make_patient_folder: MakePatient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder one stands in gives the mask its name."""
    folder = make_patient_folder(tmp_path)
    slices = tmp_path / "slices"
    convert("mask-png", Job(folder / f"{CASE}_seg.nii.gz", output=slices))
    monkeypatch.chdir(slices)
    assert convert("png-mask", Job(Path(), like=folder)) == [tmp_path / "slices.nii.gz"]
