"""OpenVINO gives the network's own answer; its cache is neither trusted blindly nor fatal."""

import linecache
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from narrow import narrow_options

from napari_brats.inference.devices import DeviceChoice
from napari_brats.inference.engines import TorchEngine
from napari_brats.networks.isensee2017 import InstanceNorm
from napari_brats.networks.registry import MODELS, create_model, model_spec

pytest.importorskip("openvino", reason="OpenVINO is not installed")

from napari_brats.inference import openvino_models
from napari_brats.inference.openvino_engine import OpenVINOEngine
from napari_brats.inference.openvino_models import converted, converted_folder

CPU = DeviceChoice("cpu", "float32", "CPU")
LARGE = ("dr_unet104", "isensee2017")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache."""
    monkeypatch.setenv("NAPARI_BRATS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tiny_network(name: str = "dresunet3d") -> torch.nn.Module:
    """Return a seeded network whose batch norms have seen something."""
    torch.manual_seed(0)
    network = create_model(name, "lite", **narrow_options(name))
    spec = model_spec(name)
    with torch.no_grad():
        network(torch.randn(2, network.in_channels, *(32,) * spec.ndim))
    return network


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in ("dr_unet104", "isensee2017")))
        for name in MODELS
    ],
)
def test_every_network_gives_its_own_logits(name: str) -> None:
    """In float32 equal to PyTorch, at a size it was not traced at, and the caller's untouched."""
    network, spec = tiny_network(name), model_spec(name)
    batch = torch.randn(2, network.in_channels, *(48, 32, 64)[: spec.ndim])
    expected = TorchEngine(network, spec, CPU)(batch)
    engine = OpenVINOEngine(network, spec, CPU)
    np.testing.assert_allclose(engine(batch), expected, atol=2e-4, rtol=1e-3)
    np.testing.assert_allclose(engine(batch[:1]), expected[:1], atol=2e-4, rtol=1e-3)
    assert len(engine._compiled) == 1
    assert network.training


@pytest.mark.slow
def test_means_of_a_large_volume_are_exact_in_float32() -> None:
    """Two million voxels, added up one after another, are off by a ten-thousandth."""

    class Normalized(torch.nn.Module):
        in_channels, multiple = 1, 1

        def __init__(self) -> None:
            super().__init__()
            self.norm = InstanceNorm(1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y: torch.Tensor = self.norm(x)
            return y

    torch.manual_seed(0)
    batch = torch.randn(1, 1, 128, 160, 128) + 1
    expected = (batch - batch.double().mean()) / (batch.double().std(correction=0) + 1e-3)
    engine = OpenVINOEngine(Normalized(), model_spec("isensee2017"), CPU)
    np.testing.assert_allclose(engine(batch), expected, atol=5e-6)


def test_a_converted_network_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second engine reads it; other weights are converted again."""
    network = tiny_network()
    converted(network, (32, 32, 32))
    with monkeypatch.context() as patch:
        patch.setattr(openvino_models, "_convert", lambda *_: pytest.fail("converted again"))
        converted(network, (32, 32, 32))
    with torch.no_grad():
        network.head.bias.add_(1)
    converted(network, (32, 32, 32))
    assert len(list(converted_folder().iterdir())) == 2


def test_other_code_is_another_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same layers and weights put together otherwise must not come from the cache."""
    network = tiny_network()
    before = openvino_models.fingerprint(network, (32, 32, 32))
    assert openvino_models.fingerprint(network, (32, 32, 32)) == before
    read = linecache.getlines

    def edited(file: str, *_: object) -> list[str]:
        return [*read(file), "# edited" if Path(file).name == "dresunet3d.py" else ""]

    monkeypatch.setattr(linecache, "getlines", edited)
    assert openvino_models.fingerprint(network, (32, 32, 32)) != before


@pytest.mark.slow
def test_weights_of_half_the_bytes() -> None:
    """numpy has no bfloat16: the network is read as float32, and left as it is."""
    network, spec = tiny_network().bfloat16(), model_spec("dresunet3d")
    batch = torch.randn(1, 4, 16, 16, 16)
    engine = OpenVINOEngine(network, spec, CPU)
    expected = TorchEngine(network, spec, CPU)(batch)
    np.testing.assert_allclose(engine(batch), expected, atol=2e-4, rtol=1e-3)
    assert engine.bytes_per_voxel(4, (16, 16, 16)) > 0
    assert network.head.weight.dtype == torch.bfloat16


def test_threads_that_share_an_engine_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window and a cohort in one program: no patient gets another one's logits."""
    engine = OpenVINOEngine(tiny_network(), model_spec("dresunet3d"), CPU)
    place = np.zeros(1, np.float32)

    def compiled(batch: np.ndarray, **_: object) -> list[np.ndarray]:
        place[:] = batch.flat[0]  # as OpenVINO takes an input: where there is one place for it
        time.sleep(0.02)
        return [np.full((1, 3), place[0])]

    monkeypatch.setattr(engine, "_for", lambda _: compiled)
    batches = [torch.full((1, 4, 16, 16, 16), float(number)) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        found = [logits[0, 0].item() for logits in pool.map(engine, batches)]
    assert found == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "damage", ["cut", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("flip", "sums"))]
)
def test_a_damaged_cache_is_made_anew(damage: str) -> None:
    """A cut file, a flipped bit and a broken list of checksums all lead to the right answer."""
    network, spec = tiny_network(), model_spec("dresunet3d")
    batch = torch.randn(1, 4, 16, 16, 16)
    expected = OpenVINOEngine(network, spec, CPU)(batch)
    (folder,) = converted_folder().iterdir()
    weights = folder / "network.bin"
    raw = bytearray(weights.read_bytes())
    raw[len(raw) // 2] ^= 1
    if damage == "sums":
        (folder / "crc32.json").write_text("{")
    else:
        weights.write_bytes(raw[:-9] if damage == "cut" else raw)
    np.testing.assert_allclose(OpenVINOEngine(network, spec, CPU)(batch), expected, atol=1e-5)
    assert openvino_models._read(folder) is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    "lost",
    [
        "network.bin",
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("network.xml", "crc32.json")),
    ],
)
def test_a_cache_that_lost_a_file_is_made_anew(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once; the next engine finds it whole again."""
    network, size = tiny_network(), (32, 32, 32)
    model = converted(network, size)
    (folder,) = converted_folder().iterdir()
    (folder / lost).unlink()
    again = []
    monkeypatch.setattr(openvino_models, "_convert", lambda *_: again.append(size) or model)
    converted(network, size)
    converted(network, size)
    assert again == [size]
    assert openvino_models._read(folder) is not None


def test_a_cache_that_cannot_be_written_costs_only_time(cache: Path) -> None:
    """A file where the folder should be: converted, used, not kept."""
    cache.write_text("in the way")
    assert converted(tiny_network(), (32, 32, 32)) is not None


def test_a_cache_that_cannot_be_entered_costs_only_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user's folder: even asking whether something is there is refused."""

    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_dir", refuse)
    monkeypatch.setattr(openvino_models, "_convert", lambda *_: "converted")
    monkeypatch.setattr(openvino_models, "_keep", lambda *_: None)
    assert converted(tiny_network(), (32, 32, 32)) == "converted"


def test_two_that_fill_the_cache_at_once() -> None:
    """Both get the network, and nothing half-written is left."""
    network = tiny_network()
    model = converted(network, (32, 32, 32))
    (folder,) = converted_folder().iterdir()
    shutil.rmtree(folder)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: openvino_models._keep(model, folder), range(4)))
    assert [path.name for path in converted_folder().iterdir()] == [folder.name]
    assert openvino_models._read(folder) is not None


_FILLS = """
import sys, torch
from napari_brats.inference.openvino_models import _read, converted, converted_folder
from napari_brats.networks.registry import create_model
torch.manual_seed(0)
network = create_model("dresunet3d", "lite", width=2).eval()
print("ready", flush=True)
sys.stdin.readline()
converted(network, (32, 32, 32))
(folder,) = (path for path in converted_folder().iterdir() if not path.name.startswith("part-"))
sys.exit(0 if _read(folder) is not None else 1)
"""


@pytest.mark.slow
def test_two_processes_that_fill_the_cache_at_once() -> None:
    """Both start from an empty cache at the same moment, both succeed, one copy is left."""
    command = [sys.executable, "-c", _FILLS]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in both:
        one.communicate(timeout=120)
    assert [one.returncode for one in both] == [0, 0]
    assert len(list(converted_folder().iterdir())) == 1


def test_one_3d_network_for_patients_of_all_sizes() -> None:
    """Another brain is no reason to compile again, and what is said of it is the same."""
    network, spec = tiny_network(), model_spec("dresunet3d")
    engine, reference = OpenVINOEngine(network, spec, CPU), TorchEngine(network, spec, CPU)
    for count, side in ((1, 16), (2, 48), (1, 32), (1, 16)):
        batch = torch.randn(count, 4, 16, 32, side)
        np.testing.assert_allclose(engine(batch), reference(batch), atol=2e-4, rtol=1e-3)
    assert len(engine._compiled) == 1


@pytest.mark.slow
def test_few_sizes_of_slices_are_kept_compiled() -> None:
    """Patients of many sizes do not fill the memory; release forgets them all."""
    network, spec = tiny_network("kermi2018"), model_spec("kermi2018")
    engine = OpenVINOEngine(network, spec, CPU)
    for side in (16, 32, 48, 64, 80):
        engine(torch.zeros(1, 4, 16, side))
    assert [size[-1] for size in engine._compiled] == [48, 64, 80]
    engine.release()
    assert not engine._compiled
    assert not engine._models


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LARGE)) for name in MODELS]
)
def test_memory_is_told_from_the_layers(name: str) -> None:
    """About as PyTorch finds it by trying: joined channels count too, half the bytes for half."""
    network, spec = tiny_network(name), model_spec(name)
    window = (64, 64, 64)[: spec.ndim]
    tried = TorchEngine(network, spec, CPU).bytes_per_voxel(network.in_channels, window)
    full, half = (
        OpenVINOEngine(network, spec, replace(CPU, precision=precision)).bytes_per_voxel(
            network.in_channels, window
        )
        for precision in ("float32", "bfloat16")
    )
    assert 0 < tried <= full <= 2 * tried
    assert half == pytest.approx(full / 2, rel=0.1)


def test_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Converting and running a network opens no connection."""
    calls = []
    monkeypatch.setattr(socket.socket, "connect", lambda *where: calls.append(where))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: calls.append(where) or [])
    OpenVINOEngine(tiny_network(), model_spec("dresunet3d"), CPU)(torch.zeros(1, 4, 16, 16, 16))
    assert calls == []
