"""A request for a device becomes a definite choice, or an error with the cure."""

import pytest
import torch

from napari_brats.errors import DeviceError
from napari_brats.inference.devices import DeviceChoice, available_devices, resolve_device


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """Return a function that pretends what this machine has."""

    def pretend(cuda: int = 0, mps: bool = False, cpu: tuple[str, ...] = (), major: int = 9):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: f"GPU {index}")
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda index: (major, 0))
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
        features = dict.fromkeys(cpu, True)
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features, raising=False)

    return pretend


def test_auto_prefers_cuda_to_mps_to_cpu(machine) -> None:
    """The fastest kind that is there."""
    machine(cuda=1, mps=True)
    assert resolve_device().torch_name == "cuda:0"
    machine(mps=True)
    assert resolve_device().torch_name == "mps"
    machine()
    assert resolve_device().torch_name == "cpu"


@pytest.mark.parametrize(
    ("features", "precision"),
    [
        ((), "float32"),
        (("avx2",), "float32"),
        (("avx512_bf16",), "bfloat16"),
        (("amx_bf16",), "bfloat16"),
    ],
)
def test_a_cpu_computes_in_bfloat16_where_it_can(machine, features, precision) -> None:
    """Only with AVX-512 BF16 or AMX; float32 otherwise."""
    machine(cpu=features)
    assert resolve_device("cpu") == DeviceChoice("cpu", precision, "CPU")
    assert resolve_device("cpu").title == f"CPU, {precision}"


def test_older_torch_cannot_tell_and_gets_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """No question to ask means no mixed precision."""
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert resolve_device("cpu").precision == "float32"


@pytest.mark.parametrize(("major", "precision"), [(9, "bfloat16"), (7, "float16")])
def test_cuda_precision_follows_the_hardware(machine, major: int, precision: str) -> None:
    """bfloat16 from compute capability 8.0 on."""
    machine(cuda=2, major=major)
    choice = resolve_device("cuda:1")
    assert choice.title == f"GPU 1, {precision}"
    assert choice.torch_name == "cuda:1"


def test_precision_can_be_chosen(machine) -> None:
    """A named format wins over the automatic one."""
    machine(cpu=("avx512_bf16",))
    assert resolve_device("cpu", "float32").precision == "float32"


@pytest.mark.parametrize(
    ("device", "message"),
    [
        (
            "cuda",
            r"device 'cuda' was asked for, but torch .* finds no CUDA device; choose --device",
        ),
        ("cuda:3", r"device 'cuda' was asked for, but torch .* finds no CUDA device"),
        ("mps", r"device 'mps' was asked for, .* choose --device auto"),
        ("tpu", r"unknown device 'tpu'; choose auto, cpu, cuda"),
        ("cpu:1", r"unknown device 'cpu:1'"),
        ("cuda:x", r"unknown device 'cuda:x'"),
        ("", r"unknown device ''"),
    ],
)
def test_what_is_not_there_is_refused_with_the_cure(machine, device: str, message: str) -> None:
    """The message quotes the request and says what to choose."""
    machine()
    with pytest.raises(DeviceError, match=message):
        resolve_device(device)


def test_a_cuda_index_too_high_names_the_count(machine) -> None:
    """Two devices are 0 and 1."""
    machine(cuda=2)
    with pytest.raises(DeviceError, match=r"'cuda:2' .* there are 2 CUDA devices.* cuda:1"):
        resolve_device("cuda:2")


def test_an_unknown_precision_lists_the_choices(machine) -> None:
    """The message quotes the request."""
    machine()
    with pytest.raises(DeviceError, match="unknown precision 'int8'; choose auto, float32"):
        resolve_device("cpu", "int8")


def test_every_device_is_listed_best_first(machine) -> None:
    """What a menu shows."""
    machine(cuda=2, mps=True)
    names = [choice.torch_name for choice in available_devices()]
    assert names == ["cuda:0", "cuda:1", "mps", "cpu"]
