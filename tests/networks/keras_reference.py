"""The five networks once more, in NumPy, as Keras builds them: what an import is compared with.

A `Graph` computes each layer when it is added, channels last, and keeps its weights in Keras'
layout. It writes them in the order of Keras' functional models: by depth, which is a layer's
longest way to the output, the deepest first.
"""

from dataclasses import dataclass, field

import h5py
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def same_conv(x, kernel, stride):
    """Convolve (X.., I) with a kernel (k.., I, O), padded as TensorFlow's "same"."""
    ndim, size = x.ndim - 1, kernel.shape[0]
    pads = []
    for length in x.shape[:-1]:
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        pads.append((total // 2, total - total // 2))
    x = np.pad(x, [*pads, (0, 0)])
    windows = sliding_window_view(x, (size,) * ndim, tuple(range(ndim)))  # (X.., I, k..)
    windows = windows[(slice(None, None, stride),) * ndim]
    inner = [*range(ndim + 1, 2 * ndim + 1), ndim]
    return np.tensordot(windows, kernel, (inner, list(range(ndim + 1))))


def transposed_conv(x, kernel):
    """Spread (X.., I) with stride 2 by a kernel (k.., O, I); the end is cut off: 2n long."""
    ndim, size = x.ndim - 1, kernel.shape[0]
    full = np.zeros([2 * n + size for n in x.shape[:-1]] + [kernel.shape[-2]])
    for place in np.ndindex(*(size,) * ndim):
        where = tuple(slice(i, i + 2 * n, 2) for i, n in zip(place, x.shape[:-1], strict=True))
        full[where] += x @ kernel[place].T
    return full[tuple(slice(2 * n) for n in x.shape[:-1])]


@dataclass(eq=False)
class Node:
    """A layer's output (X.., C), with its weights by Keras' names."""

    value: np.ndarray
    parents: tuple["Node", ...] = ()
    name: str = ""
    weights: dict = field(default_factory=dict)


class Graph:
    """Adds layers with random weights."""

    def __init__(self, seed=0):
        self._rng = np.random.default_rng(seed)
        self._nodes = []

    def _add(self, value, *parents, kind="layer", **weights):
        count = sum(node.name.startswith(kind) for node in self._nodes)
        node = Node(value, parents, f"{kind}_{count + 1}", weights)
        self._nodes.append(node)
        return node

    def _normal(self, *shape, scale=0.3):
        return self._rng.normal(0, scale, shape).astype(np.float32)

    def input(self, *shape):
        return self._add(self._normal(*shape, scale=1), kind="input")

    def conv(self, x, outputs, size=3, stride=1, bias=True):
        ndim, inputs = x.value.ndim - 1, x.value.shape[-1]
        kernel = self._normal(*(size,) * ndim, inputs, outputs, scale=(size**ndim * inputs) ** -0.5)
        weights = {"kernel": kernel, **({"bias": self._normal(outputs)} if bias else {})}
        value = same_conv(x.value, kernel, stride) + weights.get("bias", 0)
        return self._add(value, x, kind=f"conv{ndim}d", **weights)

    def up_conv(self, x, outputs, size):
        ndim, inputs = x.value.ndim - 1, x.value.shape[-1]
        kernel, bias = self._normal(*(size,) * ndim, outputs, inputs), self._normal(outputs)
        value = transposed_conv(x.value, kernel) + bias
        return self._add(value, x, kind=f"conv{ndim}d_transpose", kernel=kernel, bias=bias)

    def norm(self, x, eps=1e-3):
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        w = {name: self._normal(x.value.shape[-1]) for name in names}
        w["gamma"] += 1
        w["moving_variance"] = np.abs(w["moving_variance"]) + 0.5
        value = (x.value - w["moving_mean"]) / np.sqrt(w["moving_variance"] + eps)
        value = w["gamma"] * value + w["beta"]
        return self._add(value, x, kind="batch_normalization", **w)

    def instance_norm(self, x):
        gamma, beta = self._normal(x.value.shape[-1]) + 1, self._normal(x.value.shape[-1])
        axes = tuple(range(x.value.ndim - 1))
        value = (x.value - x.value.mean(axes)) / (x.value.std(axes) + 1e-3)
        return self._add(
            gamma * value + beta, x, kind="instance_normalization", gamma=gamma, beta=beta
        )

    def prelu(self, x):
        alpha = self._normal(*(1,) * (x.value.ndim - 2), x.value.shape[-1])
        value = np.where(x.value > 0, x.value, alpha * x.value)
        return self._add(value, x, kind="p_re_lu", alpha=alpha)

    def relu(self, x, slope=0.0):
        return self._add(np.where(x.value > 0, x.value, slope * x.value), x)

    def dropout(self, x):
        return self._add(x.value, x)

    def pool(self, x):
        value = x.value
        for axis in range(value.ndim - 1):
            shape = (*value.shape[:axis], -1, 2, *value.shape[axis + 1 :])
            value = value.reshape(shape).max(axis + 1)
        return self._add(value, x)

    def upsample(self, x):
        value = x.value
        for axis in range(value.ndim - 1):
            value = value.repeat(2, axis)
        return self._add(value, x)

    def pad(self, x):
        return self._add(np.pad(x.value, [(1, 1)] * (x.value.ndim - 1) + [(0, 0)]), x)

    def crop(self, x):
        return self._add(x.value[(slice(1, -1),) * (x.value.ndim - 1)], x)

    def cat(self, a, b):
        return self._add(np.concatenate([a.value, b.value], -1), a, b)

    def add(self, a, b):
        return self._add(a.value + b.value, a, b)

    def layers(self, last_first=False):
        """Return the nodes in Keras' order; of equal depth, the last made first if asked."""
        depth = dict.fromkeys(self._nodes, 0)
        for node in reversed(self._nodes):
            for parent in node.parents:
                depth[parent] = max(depth[parent], depth[node] + 1)
        nodes = self._nodes[::-1] if last_first else self._nodes
        return sorted(nodes, key=lambda node: -depth[node])

    def write(self, path, *, last_first=False, whole=False, pieces=1, theano=False):
        """Write a Keras file: weights alone, or in a whole model; names in several attributes."""
        layers = self.layers(last_first)
        with h5py.File(path, "w") as file:
            root = file.create_group("model_weights") if whole else file
            if whole:
                file.attrs["model_config"] = b'{"class_name": "Lambda", "config": "not even JSON'
                file.create_group("optimizer_weights").attrs["weight_names"] = [b"Adam/m:0"]
            root.attrs["backend"] = b"theano" if theano else b"tensorflow"
            names = np.array_split([node.name.encode() for node in layers], pieces)
            for number, part in enumerate(names):
                root.attrs["layer_names" if pieces == 1 else f"layer_names{number}"] = part
            for node in layers:
                group = root.create_group(node.name)
                keys = {key: f"{node.name}/{key}:0" for key in node.weights}
                group.attrs["weight_names"] = np.array([key.encode() for key in keys.values()], "S")
                for key, value in node.weights.items():
                    flipped = theano and key == "kernel"
                    group[keys[key]] = np.flip(value, range(value.ndim - 2)) if flipped else value


def unet3d(g, x, width):
    def unit(x, channels):
        return g.relu(g.conv(g.relu(g.conv(x, channels)), channels))

    skips = []
    for level in range(4):
        skips.append(unit(x, width * 2**level))
        x = g.pool(skips[-1])
    x = unit(x, width * 16)
    for level in (3, 2, 1, 0):
        x = unit(g.cat(g.up_conv(x, width * 2**level, 2), skips[level]), width * 2**level)
    return g.conv(x, 4, 1)


def dresunet3d(g, x, width):
    def double(x, channels):
        x = g.relu(g.norm(g.conv(x, channels)))
        return g.relu(g.norm(g.conv(x, channels)))

    skips = []
    for level in range(4):
        channels = width * 2**level
        main = g.norm(g.conv(g.relu(g.norm(g.conv(x, channels))), channels))
        skips.append(g.relu(g.add(g.dropout(main), g.norm(g.conv(x, channels, 1)))))
        x = g.pool(skips[-1])
    x = double(x, width * 16)
    for level in (3, 2, 1, 0):
        x = double(g.cat(g.up_conv(x, width * 2**level, 3), skips[level]), width * 2**level)
    return g.conv(x, 4, 1)


def kermi2018(g, x, width):
    def block(x, channels):
        y = g.conv(g.prelu(g.norm(x)), channels)
        y = g.conv(g.prelu(g.norm(y)), channels)
        if x.value.shape[-1] != channels:
            x = g.conv(x, channels, 1, bias=False)
        return g.add(y, x)

    x, skips = g.conv(x, width, 2), []
    for level in range(3):
        skips.append(block(x, width * 2**level))
        x = g.conv(skips[-1], width * 2 ** (level + 1), 2, stride=2)
    x = block(x, width * 8)
    for level in (2, 1, 0):
        up = g.conv(g.upsample(x), width * 2**level, 2)
        x = block(g.cat(skips[level], up), width * 2**level)
    return g.conv(g.prelu(g.norm(x)), 4, 1)


def dr_unet104(g, x, widths):
    def before(x):
        return g.relu(g.norm(x, 1e-5))

    def bottleneck(x, inner, kind):
        stride = 2 if kind == "down" else 1
        y = g.conv(x if kind == "input" else before(x), inner, 1, stride)
        y = g.conv(before(g.conv(before(y), inner)), 4 * inner, 1)
        return g.add(y, x if kind == "identity" else g.conv(x, 4 * inner, 1, stride))

    skips = []
    for level, depth in enumerate((2, 3, 3, 5, 14, 4)):
        x = bottleneck(x, widths[level], "down" if level else "input")
        for _ in range(depth - 1):
            x = bottleneck(x, widths[level], "identity")
        x = g.pad(x) if level == 3 else x
        skips.append(x)
    outputs = [2 * widths[0], *(4 * width for width in widths)]
    for level in (4, 3, 2, 1, 0):
        x = g.cat(g.up_conv(x, 4 * widths[level], 3), skips[level])
        x = g.crop(x) if level == 3 else x
        y = g.conv(before(x), outputs[level])
        x = g.add(g.conv(before(y), outputs[level]), g.conv(x, outputs[level], 1))
    return g.conv(before(x), 4, 1)


def isensee2017(g, x, width, normalized_heads=False):
    def block(x, channels, size=3, stride=1):
        return g.relu(g.instance_norm(g.conv(x, channels, size, stride)), 0.3)

    skips = []
    for level in range(5):
        x = block(x, width * 2**level, stride=2 if level else 1)
        x = g.add(x, block(block(x, width * 2**level), width * 2**level))
        skips.append(x)
    head, total = (block if normalized_heads else g.conv), None
    for level in (3, 2, 1, 0):
        x = g.cat(skips[level], block(g.upsample(x), width * 2**level))
        x = block(block(x, width * 2**level), width * 2**level, 1)
        if level < 3:
            total = head(x, 3, 1) if total is None else g.add(g.upsample(total), head(x, 3, 1))
    return total
