"""Files that pose as weights are refused before they are read, and never executed."""

import hashlib
import json
import os
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save, save_file
from torch import nn

from napari_brats.errors import CheckpointError
from napari_brats.networks.weights_file import (
    MAX_BYTES,
    Entry,
    check_fits,
    read_header,
    read_tensors,
)

NETWORK = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


def packed(header, data=b""):
    """Put a header of any kind before data, as safetensors does."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


def refused(path, content, match):
    """Check that a file is refused in one line that names it."""
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=match) as caught:
        read_header(path)
    assert "\n" not in str(caught.value)
    assert repr(str(path)) in str(caught.value)


def test_header_of_a_good_file(tmp_path):
    """Names, dtypes and shapes are as saved; the network they come from fits."""
    path = tmp_path / "good.safetensors"
    save_file(NETWORK.state_dict(), path, metadata={"format": "pt"})
    entries = read_header(path)
    assert entries["0.weight"] == Entry("F32", (2, 1, 3, 3))
    assert entries["1.num_batches_tracked"] == Entry("I64", ())
    check_fits(entries, NETWORK, "net", path)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_is_refused_and_not_executed(tmp_path, protocol):
    """A pickle named .safetensors makes nothing happen."""
    target = tmp_path / "made"
    content = pickle.dumps(Evil(target), protocol=protocol)
    refused(tmp_path / "evil.safetensors", content + b" " * 100, "not a safetensors file")
    assert not target.exists()


def test_a_torch_archive_is_refused_and_not_executed(tmp_path):
    """What torch.save writes is recognized by its zip signature."""
    target, archive = tmp_path / "made", tmp_path / "evil.pt"
    torch.save(Evil(target), archive)
    refused(tmp_path / "evil.safetensors", archive.read_bytes(), "a zip archive")
    assert not target.exists()


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "empty, truncated"),
        (b"\x08", "empty, truncated"),
        (b"\x89HDF\r\n\x1a\n" + b" " * 50, "HDF5"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b'{"schema": 1, "name": "card"}', "a JSON file"),
        ((2**62).to_bytes(8, "little") + b"{}", "truncated"),
        (packed(b"{not json"), "damaged"),
        (packed(b"{" + b"\xff" * 8), "damaged"),
        (packed(b'{"a":' + b"[" * 100_000), "damaged"),
        (packed({"a": 1}), "damaged"),
        (packed({"a": {"dtype": "F32"}}), "damaged"),
        (packed({}, b"\0"), "should hold 0 bytes of weights but holds 1"),
    ],
)
def test_other_files_are_refused(tmp_path, content, match):
    """Whatever it is instead, the message says so in one line."""
    refused(tmp_path / "other.safetensors", content, match)


def entry(begin, end, shape=(1,), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "header",
    [
        {"a": entry(0, 4), "b": entry(0, 4)},
        {"a": entry(0, 4), "b": entry(8, 12)},
        {"a": entry(4, 0)},
        {"a": entry(0, 4, shape=(-1,))},
        {"a": entry(0, 4, shape=(10**12,))},
        {"a": entry(0, 4, shape=(1.0,))},
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},'
        b'"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
    ],
    ids=["overlap", "gap", "reversed", "negative", "huge", "fraction", "twice"],
)
def test_inconsistent_headers_are_refused(tmp_path, header):
    """Tensors must follow one another exactly, each with the bytes its shape needs."""
    refused(tmp_path / "odd.safetensors", packed(header, b"\0" * 4), "truncated or damaged")


@settings(max_examples=60)
@given(cut=st.integers(1, 500))
def test_every_truncation_is_refused(tmp_path_factory, cut):
    """A file cut anywhere is refused by its header alone."""
    content = save(NETWORK.state_dict())
    path = tmp_path_factory.mktemp("cut") / "cut.safetensors"
    refused(path, content[: max(0, len(content) - cut)], "safetensors")


@settings(max_examples=60)
@given(content=st.binary(max_size=80))
def test_any_bytes_give_a_header_or_a_clear_error(tmp_path_factory, content):
    """Nothing but CheckpointError leaves the reader, whatever the file holds."""
    path = tmp_path_factory.mktemp("any") / "any.safetensors"
    for raw in (content, packed(b"{" + content + b"}")):
        path.write_bytes(raw)
        try:
            read_header(path)
        except CheckpointError as error:
            assert "\n" not in str(error)  # noqa: PT017


def test_oversized_files_are_refused_unread(tmp_path):
    """A file over the cap is not opened (this one is sparse)."""
    path = tmp_path / "huge.safetensors"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(CheckpointError, match="512 MiB, more than"):
        read_header(path)


def test_missing_files_and_folders_are_refused(tmp_path):
    """No file, or a folder in its place."""
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(CheckpointError, match="cannot read the weights"):
            read_header(path)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"0.weight": None}, "1 tensors are missing, such as '0.weight'"),
        ({"other": Entry("F32", (1,))}, "1 tensors are unknown, such as 'other'"),
        ({"0.weight": Entry("F32", (2, 1, 3, 4))}, r"has shape \(2, 1, 3, 4\), expected \(2, 1,"),
        ({"0.weight": Entry("F64", (2, 1, 3, 3))}, "has dtype F64, expected F16 or F32"),
        ({"1.num_batches_tracked": Entry("F32", ())}, "has dtype F32, expected I64"),
    ],
)
def test_weights_of_another_network_are_refused(tmp_path, change, match):
    """The first tensor that does not fit is named, with what was expected."""
    path = tmp_path / "net.safetensors"
    save_file(NETWORK.state_dict(), path)
    entries = {name: value for name, value in {**read_header(path), **change}.items() if value}
    with pytest.raises(CheckpointError, match=match):
        check_fits(entries, NETWORK, "net", path)


def test_damage_found_by_the_reader_itself(tmp_path):
    """What safetensors refuses becomes a CheckpointError too."""
    path = tmp_path / "short.safetensors"
    path.write_bytes(b"12345678")
    digest = hashlib.sha256(b"12345678").hexdigest()
    with pytest.raises(CheckpointError, match="truncated or damaged"):
        read_tensors(path, digest)
