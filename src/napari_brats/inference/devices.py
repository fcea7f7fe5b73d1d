"""Where a network runs and how precisely: ``--device`` and ``--precision`` made definite."""

from dataclasses import dataclass
from typing import Literal, get_args

from napari_brats.errors import DeviceError

Kind = Literal["cuda", "mps", "cpu"]
Precision = Literal["float32", "bfloat16", "float16"]

_BF16_FEATURES = ("avx512_bf16", "amx_bf16", "bf16", "sve_bf16")


@dataclass(frozen=True)
class DeviceChoice:
    """A device that is there, and the number format to compute in.

    Parameters
    ----------
    kind : {"cuda", "mps", "cpu"}
        What torch calls it.
    precision : {"float32", "bfloat16", "float16"}
        Format of the matrix products; the rest follows torch's mixed precision.
    name : str
        The hardware, for people.
    index : int or None
        Which of several CUDA devices.
    """

    kind: Kind
    precision: Precision
    name: str
    index: int | None = None

    @property
    def torch_name(self) -> str:
        """What `torch.device` takes, e.g. ``"cuda:0"``."""
        return self.kind if self.index is None else f"{self.kind}:{self.index}"

    @property
    def title(self) -> str:
        """One line for people, e.g. ``"CPU, bfloat16"``."""
        return f"{self.name}, {self.precision}"


def resolve_device(device: str = "auto", precision: str = "auto") -> DeviceChoice:
    """Return the device that a request means on this machine.

    Parameters
    ----------
    device : str
        ``"auto"`` (CUDA before MPS before CPU), ``"cpu"``, ``"cuda"``, ``"cuda:<index>"`` or
        ``"mps"``.
    precision : str
        ``"auto"`` takes bfloat16 where the hardware computes in it, float16 on older CUDA
        devices and float32 elsewhere; or one of the formats by name.

    Raises
    ------
    DeviceError
        If the request is not understood or the device is not there; the message says what
        to do.
    """
    kind, _, number = device.partition(":")
    if device == "auto":
        kind = next(known for known in get_args(Kind) if _count(known))
    elif kind not in get_args(Kind) or (number and (kind != "cuda" or not number.isdecimal())):
        raise DeviceError(f"unknown device {device!r}; choose auto, cpu, cuda, cuda:<index> or mps")
    return _choice(_present(kind, int(number or 0)), int(number or 0), precision)


def available_devices() -> list[DeviceChoice]:
    """Return what this machine has, the one that ``"auto"`` takes first."""
    return [
        _choice(kind, index, "auto") for kind in get_args(Kind) for index in range(_count(kind))
    ]


def _count(kind: str) -> int:
    import torch

    if kind == "cuda":
        return torch.cuda.device_count() if torch.cuda.is_available() else 0
    return int(kind == "cpu" or torch.backends.mps.is_available())


def _present(kind: str, index: int) -> Kind:
    import torch

    for known in get_args(Kind):
        if known == kind and index < _count(known):
            found: Kind = known
            return found
    if kind == "mps":
        raise DeviceError(
            "device 'mps' was asked for, but this is no Apple computer with a Metal GPU that "
            "torch can use; choose --device auto or --device cpu"
        )
    if _count(kind):
        raise DeviceError(
            f"device 'cuda:{index}' was asked for, but there are {_count(kind)} CUDA devices, "
            f"numbered from 0; choose --device cuda:{_count(kind) - 1} or lower"
        )
    raise DeviceError(
        f"device 'cuda' was asked for, but torch {torch.__version__} finds no CUDA device; choose "
        "--device auto or --device cpu, or install the NVIDIA driver and a CUDA build of torch"
    )


def _choice(kind: Kind, index: int, precision: str) -> DeviceChoice:
    import torch

    chosen = _best_precision(kind, index) if precision == "auto" else precision
    for known in get_args(Precision):
        if known == chosen:
            if kind == "cuda":
                return DeviceChoice(kind, known, torch.cuda.get_device_name(index), index)
            return DeviceChoice(kind, known, "CPU" if kind == "cpu" else "Apple GPU")
    raise DeviceError(
        f"unknown precision {precision!r}; choose auto, {', '.join(get_args(Precision))}"
    )


def _best_precision(kind: Kind, index: int) -> Precision:
    import torch

    if kind == "cuda":
        # Before compute capability 8.0 bfloat16 is emulated, and slower than float32.
        major, _ = torch.cuda.get_device_capability(index)
        return "bfloat16" if major >= 8 else "float16"
    if kind == "cpu":
        # Older versions of torch cannot tell; float32 is right everywhere.
        ask = getattr(torch.cpu, "get_capabilities", None)
        features = ask() if ask is not None else {}
        return "bfloat16" if any(features.get(name) for name in _BF16_FEATURES) else "float32"
    return "float32"
