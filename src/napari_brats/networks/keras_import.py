"""Keras weights (``.h5``, ``.hdf5``) for our networks.

Only arrays are read. A model's configuration, its lambda layers and its optimizer, which the
file may hold too, are left alone: nothing in it is executed or unpickled.

The file names its layers in the order in which the network uses them, but Keras and we count
parallel branches differently. Layers are therefore matched by kind and shape, and by order
only among equal ones, which in these networks follow one another.

Layouts (Keras 2): a convolution's kernel is (k.., in, out), a transposed one's (k.., out, in),
PyTorch's (out, in, k..) and (in, out, k..): both reverse the last two axes and put them first.
The Theano backend stores kernels that are flipped along every spatial axis.
"""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_brats.errors import CheckpointError
from napari_brats.networks.weights_file import one_line

if TYPE_CHECKING:
    import h5py
    from torch import Tensor, nn

_BATCH_NORM = {
    "weight": "gamma",
    "bias": "beta",
    "running_mean": "moving_mean",
    "running_var": "moving_variance",
}

Shape = tuple[int, ...]
Kind = tuple[bool, tuple[tuple[str, Shape], ...]]
"""Whether it is a transposed convolution, and the arrays' names with their shapes in Keras."""


@dataclass(frozen=True)
class _Layer:
    """A layer that has weights, by Keras' names of the arrays."""

    name: str
    arrays: "dict[str, h5py.Dataset]"

    @property
    def kind(self) -> Kind:
        shapes = {name: tuple(array.shape) for name, array in self.arrays.items()}
        if "alpha" in shapes:  # (1, 1, C): one slope a channel
            *shared, channels = shapes["alpha"]
            shapes["alpha"] = (*(size for size in shared if size != 1), channels)
        return "transpose" in self.name.lower(), tuple(sorted(shapes.items()))


@dataclass(frozen=True)
class _Slot:
    """A module that takes a layer's arrays: Keras' name of each of its tensors, and its kind."""

    name: str
    tensors: dict[str, str]
    kind: Kind


def keras_weights(path: Path, network: "nn.Module", title: str) -> "dict[str, Tensor]":
    """Return a network's state dict from a Keras file.

    Parameters
    ----------
    path : Path
        Written by ``save_weights`` or ``save`` of Keras 2, or by ``save`` of Keras 3 as ``.h5``.
    network : torch.nn.Module
        One of ours, on any device, also the meta device; only its shapes are used.
    title : str
        What to call it in messages.

    Returns
    -------
    dict of str to Tensor
        float32; counters of batches are 0.

    Raises
    ------
    CheckpointError
        If h5py is not installed, or the file is damaged, in another format, or does not hold
        exactly the network's layers. Shapes are compared before any array is read.
    """
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise CheckpointError(
            "reading Keras weights needs the package h5py, which is not installed; "
            'run pip install "napari-brats[models]"'
        ) from error
    try:
        with h5py.File(path, "r") as file:
            group = _weights_group(file, path)
            layers = list(_layers(group, path))
            pairs = _matched(layers, list(_slots(network)), title, path)
            flip = _text(group.attrs.get("backend", "")) == "theano"
            return _state(pairs, network, flip=flip)
    except (OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise CheckpointError(
            f"{str(path)!r} is damaged or not a Keras weights file ({one_line(error)}); "
            "get the file again"
        ) from error


def _weights_group(file: "h5py.File", path: Path) -> "h5py.Group":
    """Return the group that lists the layers: the root, or a part of a whole model."""
    group = _child(file, "model_weights", path) if "model_weights" in file else file
    if not _texts(group, "layer_names"):
        raise CheckpointError(
            f"{str(path)!r} lists no layers as Keras 2 does; with Keras 3, save the model with "
            "model.save('weights.h5') and give that file"
        )
    return group


def _layers(group: "h5py.Group", path: Path) -> Iterator[_Layer]:
    """Yield the layers that have weights, in the file's order."""
    for name in _texts(group, "layer_names"):
        arrays = {}
        layer = _child(group, name, path)
        for full_name in _texts(layer, "weight_names"):
            array = _dataset(layer, full_name, path)
            arrays[full_name.rpartition("/")[2].partition(":")[0]] = array
        if arrays:
            yield _Layer(name, arrays)


def _child(group: "h5py.Group", name: str, path: Path) -> Any:
    """Return what lies at a name in this very file: links to other files are not followed."""
    import h5py

    place: Any = group
    for part in name.strip("/").split("/"):
        if not isinstance(place, h5py.Group) or not isinstance(
            place.get(part, getlink=True), h5py.HardLink
        ):
            raise CheckpointError(
                f"{str(path)!r}: {name!r} is missing or points elsewhere; get the file again"
            )
        place = place[part]
    return place


def _dataset(group: "h5py.Group", name: str, path: Path) -> "h5py.Dataset":
    """Return an array of floats whose values, too, lie in this file."""
    import h5py

    place = _child(group, name, path)
    inside = isinstance(place, h5py.Dataset) and not (place.external or place.is_virtual)
    if not inside or place.dtype.kind != "f":
        raise CheckpointError(
            f"{str(path)!r}: {name!r} is no array of floats in this file; get the file again"
        )
    return place


def _texts(group: "h5py.Group", name: str) -> list[str]:
    """Return a list of texts that Keras keeps in an attribute, or in several if it is long."""
    if name in group.attrs:
        return [_text(value) for value in group.attrs[name]]
    found: list[str] = []
    for number in range(len(group.attrs)):
        if f"{name}{number}" not in group.attrs:
            break
        found += [_text(value) for value in group.attrs[f"{name}{number}"]]
    return found


def _text(value: object) -> str:
    return value.decode("utf-8") if isinstance(value, bytes) else str(value)


def _slots(network: "nn.Module") -> Iterator[_Slot]:
    """Yield what a network has to be given, in the order of its layers."""
    from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

    for name, module in network.named_modules():
        own = {key: tuple(value.shape) for key, value in module.named_parameters(recurse=False)}
        if not own:
            continue
        if isinstance(module, _ConvNd):
            weight = own["weight"]
            own["weight"] = (*weight[2:], weight[1], weight[0])
            names = {"weight": "kernel", "bias": "bias"}
        elif "running_mean" in dict(module.named_buffers(recurse=False)):
            names = _BATCH_NORM
            own |= dict.fromkeys(("running_mean", "running_var"), own["weight"])
        elif "bias" in own:
            names = {"weight": "gamma", "bias": "beta"}
        else:
            names = {"weight": "alpha"}
        tensors = {key: names[key] for key in own}
        shapes = tuple(sorted((names[key], shape) for key, shape in own.items()))
        yield _Slot(name, tensors, (isinstance(module, _ConvTransposeNd), shapes))


def _matched(
    layers: list[_Layer], slots: list[_Slot], title: str, path: Path
) -> list[tuple[_Slot, _Layer]]:
    """Give every slot the next layer of its kind; none may be left."""
    waiting: dict[Kind, deque[_Layer]] = defaultdict(deque)
    for layer in layers:
        waiting[layer.kind].append(layer)
    pairs = []
    for slot in slots:
        if not waiting[slot.kind]:
            raise CheckpointError(
                f"{str(path)!r} does not fit {title}: no layer is left for {slot.name!r}, which "
                f"needs {_words(slot.kind)}; give the size and options it was made with"
            )
        pairs.append((slot, waiting[slot.kind].popleft()))
    left = [layer for queue in waiting.values() for layer in queue]
    if left:
        raise CheckpointError(
            f"{str(path)!r} does not fit {title}: {len(left)} layers have no place in it, such as "
            f"{left[0].name!r} with {_words(left[0].kind)}; give the size and options it was made "
            "with"
        )
    return pairs


def _words(kind: Kind) -> str:
    transposed, shapes = kind
    arrays = ", ".join(f"{name} {shape}" for name, shape in shapes)
    return f"a transposed {arrays}" if transposed else arrays


def _state(
    pairs: list[tuple[_Slot, _Layer]], network: "nn.Module", *, flip: bool
) -> "dict[str, Tensor]":
    """Read the arrays into PyTorch's layout."""
    import torch

    state = {
        name: torch.zeros((), dtype=torch.int64)
        for name in network.state_dict()
        if name.endswith("num_batches_tracked")
    }
    for slot, layer in pairs:
        for tensor, keras_name in slot.tensors.items():
            values = np.asarray(layer.arrays[keras_name][()], np.float32)
            if keras_name == "kernel":
                spatial = tuple(range(values.ndim - 2))
                if flip:
                    values = np.flip(values, spatial)
                values = values.transpose(-1, -2, *spatial)
            elif keras_name == "alpha":
                values = values.ravel()
            state[f"{slot.name}.{tensor}"] = torch.from_numpy(np.ascontiguousarray(values))
    return state
