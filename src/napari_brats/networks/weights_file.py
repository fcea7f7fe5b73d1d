"""Read and check safetensors files: nothing in them is ever executed.

The header is checked against the network before any tensor is read, so that a file can
neither run code nor make us allocate what the network does not need.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_brats.errors import CheckpointError

if TYPE_CHECKING:
    from torch import Tensor, nn

MAX_BYTES = 512 * 2**20
_MAX_HEADER_BYTES = 4 * 2**20
_BYTES = {"F16": 2, "F32": 4, "I64": 8}
_MAGIC = (
    (b"PK", "a zip archive, as torch.save writes, which can hold a pickle"),
    (b"\x80", "a pickle"),
    (b"\x89HDF", "an HDF5 file, as Keras writes"),
    (b"\x1f\x8b", "a gzip file"),
    (b"{", "a JSON file"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself"),
)


@dataclass(frozen=True)
class Entry:
    """One tensor in a file's header: its safetensors dtype and its shape."""

    dtype: str
    shape: tuple[int, ...]


def read_header(path: Path) -> dict[str, Entry]:
    """Return the tensors that a safetensors file says it holds.

    Raises
    ------
    CheckpointError
        If the file is missing, too large, something else, truncated or inconsistent.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CheckpointError(
                f"{str(path)!r} has {size / 2**20:.0f} MiB, more than the {MAX_BYTES / 2**20:.0f} "
                "MiB that weights may have; check that this is the right file"
            )
        with path.open("rb") as file:
            start = file.read(32)
            length = int.from_bytes(start[:8], "little")
            if length > min(_MAX_HEADER_BYTES, size - 8) or start[8:9] != b"{":
                raise CheckpointError(_what_instead(path, start))
            file.seek(8)
            raw = file.read(length)
    except OSError as error:
        raise _unreadable(path, error) from error
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
        return _entries(header, size - 8 - length)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CheckpointError(
            f"{str(path)!r} is truncated or damaged ({one_line(error)}); get the file again"
        ) from error


def _entries(header: dict[str, Any], data_bytes: int) -> dict[str, Entry]:
    """Check that the tensors follow one another without a gap and fill the data exactly."""
    header.pop("__metadata__", None)
    entries, spans = {}, []
    for name, value in header.items():
        dtype, shape = str(value["dtype"]), tuple(value["shape"])
        begin, end = value["data_offsets"]
        if not all(type(number) is int and number >= 0 for number in (*shape, begin, end)):
            raise ValueError(f"tensor {name!r} has an impossible shape or place")
        if dtype in _BYTES and end - begin != _product(shape) * _BYTES[dtype]:
            raise ValueError(f"tensor {name!r} has the wrong number of bytes")
        entries[name] = Entry(dtype, shape)
        spans.append((begin, end))
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ValueError("tensors overlap or leave gaps")
        position = end
    if position != data_bytes:
        raise ValueError(f"it should hold {position} bytes of weights but holds {data_bytes}")
    return entries


def check_fits(entries: Mapping[str, Entry], network: "nn.Module", what: str, path: Path) -> None:
    """Raise CheckpointError unless a header holds exactly the network's tensors.

    Parameters
    ----------
    entries : Mapping[str, Entry]
        From `read_header`.
    network : torch.nn.Module
        May live on the meta device.
    what : str
        The network's name, for the message.
    path : Path
        The weights' file, for the message.
    """
    problem = misfit(entries, network)
    if problem:
        raise CheckpointError(
            f"{str(path)!r} does not fit {what}: {problem}; "
            "get the weights and the card that were saved together"
        )


def misfit(entries: Mapping[str, Entry], network: "nn.Module") -> str:
    """Return the first thing that tells tensors from the network's own, or an empty text."""
    wanted = network.state_dict()
    missing = [name for name in wanted if name not in entries]
    extra = [name for name in entries if name not in wanted]
    if missing:
        return f"{len(missing)} tensors are missing, such as {missing[0]!r}"
    if extra:
        return f"{len(extra)} tensors are unknown, such as {extra[0]!r}"
    for name, tensor in wanted.items():
        entry = entries[name]
        allowed = ("F16", "F32") if tensor.is_floating_point() else ("I64",)
        if entry.shape != tuple(tensor.shape):
            return f"{name!r} has shape {entry.shape}, expected {tuple(tensor.shape)}"
        if entry.dtype not in allowed:
            return f"{name!r} has dtype {entry.dtype}, expected {' or '.join(allowed)}"
    return ""


def read_tensors(path: Path, sha256: str) -> dict[str, "Tensor"]:
    """Return a file's tensors, floats as float32.

    Parameters
    ----------
    path : Path
        A file that `read_header` and `check_fits` accept.
    sha256 : str
        What the card says the file's SHA-256 is.

    Raises
    ------
    CheckpointError
        If the file's SHA-256 differs, or a weight is not finite.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    found = hashlib.sha256(raw).hexdigest()
    if found != sha256:
        raise CheckpointError(
            f"{str(path)!r} has SHA-256 {found[:12]}..., its card says {sha256[:12]!r}...; "
            "get the weights and the card that were saved together"
        )
    try:
        tensors: dict[str, Tensor] = load(raw)
    except SafetensorError as error:
        raise CheckpointError(
            f"{str(path)!r} is truncated or damaged ({one_line(error)}); get the file again"
        ) from error
    for name, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[name] = tensor.float()
            if not tensor.isfinite().all():
                raise CheckpointError(
                    f"{str(path)!r} holds NaN or infinite weights in {name!r}; "
                    "get or train other weights"
                )
    return tensors


def _what_instead(path: Path, start: bytes) -> str:
    """Say what a file that is not safetensors looks like."""
    kind = next((kind for magic, kind in _MAGIC if start.startswith(magic)), None)
    found = f"it looks like {kind}" if kind else "it is empty, truncated or another kind of file"
    return f"{str(path)!r} is not a safetensors file: {found}; it was not opened, use .safetensors"


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(
        f"cannot read the weights {str(path)!r}: {error.strerror or error}; "
        "check the path and its permissions"
    )


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name appears twice")
    return table


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for size in shape:
        product *= size
    return product


def one_line(error: Exception) -> str:
    """Return the start of an error's text without line breaks."""
    return " ".join(str(error).split())[:120] or type(error).__name__
