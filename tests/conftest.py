"""What the tests share: tiny patients of every edition, and the real ones where they are."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from napari_brats.case import Case
from napari_brats.naming import MODALITIES, NAMINGS, REFERENCE
from napari_brats.regions import LABEL_CONVENTIONS, REGIONS, region_mask

REPOSITORY = Path(__file__).parents[1]
sys.path.append(str(Path(__file__).parent / "helpers"))
# Before torch is loaded, here and in what tests start: several workers whose threads wait for
# each other at every small layer take half as long again.
os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile("untimed", deadline=None)  # machines are noisy
settings.load_profile("untimed")
LPS_AFFINE = np.array(
    [[-1.0, 0, 0, 0], [0, -1.0, 0, 239.0], [0, 0, 1.0, 0], [0, 0, 0, 1.0]], dtype=np.float64
)

MakePatient = Callable[..., Path]
OnStep = Callable[[int, int], None]


def tiny_image(shape: tuple[int, int, int], seed: int) -> NDArray[np.int16]:
    """Return (X, Y, Z) int16: a noisy ellipsoid in an empty frame, as a stripped brain is."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    inside = sum(axis**2 for axis in grid) < 0.8
    noise = rng.normal(500 + 100 * seed, 60, shape)
    return np.where(inside, noise, 0).clip(0).astype(np.int16)


def tiny_mask(shape: tuple[int, int, int], codes: Sequence[int]) -> NDArray[np.uint8]:
    """Return (X, Y, Z) uint8 with a box of each code."""
    mask = np.zeros(shape, np.uint8)
    x, y, z = (size // 2 for size in shape)
    for index, code in enumerate(codes):
        mask[x - 4 + 2 * index : x - 2 + 2 * index, y - 2 : y + 2, z - 2 : z + 2] = code
    return mask


def write_volume(path: Path, voxels: NDArray[np.generic], affine: NDArray[np.float64]) -> None:
    """Write a volume as other programs do: NIfTI with nibabel, MetaImage with SimpleITK."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".mha":
        image = nib.Nifti1Image(voxels, affine)
        image.set_sform(affine, code=1)
        image.set_qform(affine, code=1)
        nib.save(image, path)
        return
    import SimpleITK as sitk

    directions = np.diag([-1.0, -1.0, 1.0]) @ affine[:3, :3]
    spacing = np.linalg.norm(directions, axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((directions / spacing).ravel().tolist())
    image.SetOrigin((affine[:3, 3] * [-1, -1, 1]).tolist())
    sitk.WriteImage(image, str(path), True)


def patient_file(folder: Path, naming: str, case_id: str, role: str, extension: str) -> Path:
    """Return where an edition keeps one file of a patient."""
    row = NAMINGS[naming]
    if not row.nested:
        return folder / row.file_name(case_id, role, extension)
    middle = "_3more.XX.O." if role == REFERENCE else ".XX.O."
    number = 54512 + list(row.suffixes).index(role)
    stem = f"VSD.Brain{middle}{row.suffixes[role]}.{number}"
    return folder / stem / f"{stem}{extension}"


def _decathlon(
    root: Path,
    case_id: str,
    images: Mapping[str, NDArray[np.int16]],
    mask: NDArray[np.uint8] | None,
    affine: NDArray[np.float64],
) -> Path:
    titles = {"flair": "FLAIR", "t1": "T1w", "t1ce": "t1gd", "t2": "T2w"}
    order = [name for name in titles if name in images]
    description = {"modality": {str(i): titles[name] for i, name in enumerate(order)}}
    image = root / "imagesTr" / f"{case_id}.nii.gz"
    write_volume(image, np.stack([images[name] for name in order], axis=-1), affine)
    (root / "dataset.json").write_text(json.dumps(description))
    if mask is not None:
        write_volume(root / "labelsTr" / f"{case_id}.nii.gz", mask, affine)
    return image


def _nnunet(
    root: Path,
    case_id: str,
    images: Mapping[str, NDArray[np.int16]],
    mask: NDArray[np.uint8] | None,
    affine: NDArray[np.float64],
) -> Path:
    titles = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "Flair"}
    order = [name for name in titles if name in images]
    description = {
        "channel_names": {str(i): titles[name] for i, name in enumerate(order)},
        "labels": {"background": 0, "edema": 1, "necrosis": 2, "enhancing": 3},
        "file_ending": ".nii.gz",
    }
    paths = [root / "imagesTr" / f"{case_id}_{i:04d}.nii.gz" for i in range(len(order))]
    for name, path in zip(order, paths, strict=True):
        write_volume(path, images[name], affine)
    (root / "dataset.json").write_text(json.dumps(description))
    if mask is not None:
        write_volume(root / "labelsTr" / f"{case_id}.nii.gz", mask, affine)
    return paths[0]


DESCRIBED = {"msd-task01": _decathlon, "nnunet": _nnunet}


@pytest.fixture(autouse=True)
def data_home(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Keep the user's own data folder and cache out of the tests."""
    monkeypatch.setenv("NAPARI_BRATS_DATA", str(tmp_path / "home"))
    monkeypatch.setenv("NAPARI_BRATS_CACHE", str(tmp_path_factory.mktemp("cache")))
    return tmp_path / "home"


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt, also where a shell started the tests in the background without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def make_patient_folder() -> MakePatient:
    """Return a function that writes a tiny patient of any edition.

    ``make(root, naming="brats2021", *, case_id=None, shape=(20, 22, 18), modalities=None,
    reference=True, affine=LPS_AFFINE, extension=None, seed=1)`` returns the patient's folder
    below ``root``; for ``naming="msd-task01"`` the 4D image file, for
    ``"nnunet"`` the first channel's.
    """

    def make(
        root: Path,
        naming: str = "brats2021",
        *,
        case_id: str | None = None,
        shape: tuple[int, int, int] = (20, 22, 18),
        modalities: Sequence[str] | None = None,
        reference: bool = True,
        affine: NDArray[np.float64] = LPS_AFFINE,
        extension: str | None = None,
        seed: int = 1,
    ) -> Path:
        described = DESCRIBED.get(naming)
        names = modalities or (MODALITIES if described else NAMINGS[naming].modalities)
        images = {name: tiny_image(shape, seed + i) for i, name in enumerate(names)}
        convention = "msd" if described else NAMINGS[naming].convention
        mask = tiny_mask(shape, list(LABEL_CONVENTIONS[convention].codes))
        if described is not None:
            return described(
                root, case_id or "BRATS_001", images, mask if reference else None, affine
            )
        row = NAMINGS[naming]
        case_id = case_id or row.example
        extension = extension or (".mha" if row.nested else ".nii.gz")
        folder = root / case_id
        files = {**images, **({REFERENCE: mask} if reference else {})}
        for role, voxels in files.items():
            write_volume(patient_file(folder, naming, case_id, role, extension), voxels, affine)
        return folder

    return make


@pytest.fixture(scope="session", autouse=True)
def _no_models_of_yours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests and the models that whoever runs them has added apart."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_BRATS_MODELS", str(tmp_path_factory.mktemp("user") / "models"))
        patch.delenv("NAPARI_BRATS_OFFLINE", raising=False)
        yield


@pytest.fixture(scope="session")
def real_data_dir() -> Path:
    """Return the folder of real patients, or skip."""
    chosen = os.environ.get("NAPARI_BRATS_REAL_DATA")
    folder = Path(chosen) if chosen else REPOSITORY.parent / "shared" / "data"
    if not (folder / "validation").is_dir():
        pytest.skip(f"no real patients in {folder}: set NAPARI_BRATS_REAL_DATA to their folder")
    return folder


@pytest.fixture
def fake_predictor(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Put a predictor in the network's place that finds what the reference holds.

    It needs no torch and answers at once, in two windows; without a reference it finds
    nothing. Any model's name will do, and none needs a certain modality. Returns the list
    of (model, device, engine, precision) it is asked for.
    """
    asked: list[tuple[str, ...]] = []

    class Ensemble:
        @classmethod
        def load(
            cls, model: str, *, device: str, engine: str, precision: str, mirror: bool
        ) -> "Ensemble":
            asked.append((str(model), device, engine, precision))
            return cls()

        def predict(
            self, case: Case, *, on_step: OnStep | None = None, **_: object
        ) -> SimpleNamespace:
            for done in (1, 2):
                if on_step is not None:
                    on_step(done, 2)
            found = np.zeros(case.shape, np.uint8) if case.reference is None else case.reference
            regions = np.stack([region_mask(found, name) for name in REGIONS])
            return SimpleNamespace(
                tissues=found.copy(),
                probabilities=regions.astype(np.float32),
                device=SimpleNamespace(torch_name="cpu", title="CPU, float32"),
                engine="torch",
                seconds={"preprocess": 0.1, "network": 0.2, "postprocess": 0.1},
                voxels=found.size,
                memory_bytes=10**8,
                missing=(),
            )

    from napari_brats.workflows import segment

    monkeypatch.setattr(segment, "_networks", segment._networks.__wrapped__)
    module = ModuleType("napari_brats.inference.predictor")
    module.Ensemble = Ensemble  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def any_cards(model: str) -> tuple[SimpleNamespace, ...]:
        return (SimpleNamespace(name=f"{model}-lite", modalities=(), may_lack=(), sha256=""),)

    monkeypatch.setattr("napari_brats.workflows.segment.read_cards", any_cards)
    return asked


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of a tiny untrained network, which is done in milliseconds."""
    import torch

    from napari_brats.networks.card import Card
    from napari_brats.networks.checkpoint import save_checkpoint
    from napari_brats.networks.registry import create_model
    from napari_brats.preprocessing.recipes import RECIPES

    recipe = RECIPES["brain-2mm"]
    options = {"width": 1}
    torch.manual_seed(0)
    network = create_model("unet3d", "lite", **options, in_channels=len(recipe.modalities))
    card = Card(
        "tiny", "unet3d", "lite", recipe.name, recipe.modalities, "regions",
        {**options, "in_channels": len(recipe.modalities)},
    )  # fmt: skip
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_checkpoint(network, card, path)
    return path


@pytest.fixture
def make_patients(make_patient_folder: MakePatient) -> Callable[[Path, int], Path]:
    """Return a function that makes a folder of tiny patients, each with content of its own."""

    def make(root: Path, count: int) -> Path:
        for number in range(1, count + 1):
            make_patient_folder(
                root, case_id=f"BraTS2021_{number:05}", shape=(16, 18, 14), seed=10 * number
            )
        return root

    return make
