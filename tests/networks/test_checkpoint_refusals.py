"""What poses as a checkpoint is refused in one line, and never executed."""

import hashlib
import json
import os
import pickle

import pytest
import torch
from safetensors.torch import load_file, save_file

from napari_brats.errors import CheckpointError
from napari_brats.networks.blocks import parameter_count
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import create_model


def edit_card(weights, **changes):
    """Change fields in a checkpoint's card."""
    path = weights.with_suffix(".json")
    value = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**value, **changes}), encoding="utf-8")


def repin(weights):
    """Write the weights' own SHA-256 into the card, as a forger would."""
    edit_card(weights, sha256=hashlib.sha256(weights.read_bytes()).hexdigest())


def refused(source, match):
    """Check that a checkpoint is refused in one line."""
    with pytest.raises(CheckpointError, match=match) as caught:
        load_checkpoint(source)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".bin", ".ckpt", ".PT"])
def test_pickles_are_refused_by_their_suffix(tmp_path, suffix):
    """A pickle is not opened, whether it is there or not."""
    refused(tmp_path / f"net{suffix}", "is a pickle, which can run programs")


def test_a_pickle_posing_as_a_checkpoint_is_never_executed(saved):
    """Not even when the card beside it pins its SHA-256."""
    target = saved.parent / "made"

    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(target),)

    saved.write_bytes(pickle.dumps(Evil()))
    repin(saved)
    refused(saved, "not a safetensors file")
    torch.save(Evil(), saved)
    repin(saved)
    refused(saved, "zip archive")
    assert not target.exists()


def test_flipped_bit_is_found(saved):
    """One bit of a weight differs: the SHA-256 does not match."""
    content = bytearray(saved.read_bytes())
    content[-3] ^= 1
    saved.write_bytes(content)
    refused(saved, "has SHA-256 .* its card says")


def test_truncated_file_is_found(saved):
    """The header says more than the file holds."""
    saved.write_bytes(saved.read_bytes()[:-10])
    refused(saved, "truncated or damaged")


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda t: t["head.bias"].fill_(float("nan")), "NaN or infinite weights in 'head.bias'"),
        (lambda t: t.update({"head.bias": torch.zeros(5)}), r"'head.bias' has shape \(5,\)"),
        (lambda t: t.update({"head.bias": torch.zeros(4).double()}), "dtype F64"),
        (lambda t: t.pop("head.bias"), "missing, such as 'head.bias'"),
        (lambda t: t.update(extra=torch.zeros(1)), "unknown, such as 'extra'"),
    ],
    ids=["nan", "shape", "dtype", "missing", "extra"],
)
def test_wrong_tensors_are_refused(saved, change, match):
    """Even when the card pins the file: shape, dtype, names and values are checked."""
    tensors = load_file(saved)
    change(tensors)
    save_file(tensors, saved)
    repin(saved)
    refused(saved, match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"architecture": "dresunet3d"}, "has 4 input and 4 output channels, but"),
        ({"architecture": "unet4d"}, "unknown model 'unet4d'"),
        ({"size": "huge"}, "no size 'huge'"),
        ({"recipe": "secret"}, "unknown recipe 'secret'"),
        ({"recipe": "brain-1mm"}, "says modalities flair, t1ce, t2, but recipe 'brain-1mm'"),
        ({"outputs": "depth"}, "unknown outputs 'depth'"),
        ({"outputs": "regions"}, "4 output channels, but its modalities and outputs ask"),
        ({"options": {"width": 3}}, "says .* parameters, but"),
        ({"options": {"depth": 9}}, "options that 'unet3d' cannot be built with"),
        ({"options": {"width": "4"}}, "cannot be built with"),
        ({"options": {"width": -4}}, "cannot be built with"),
        ({"options": {"width": 10**15}}, "cannot be built with"),
        ({"options": {"name": "kermi2018"}}, "cannot be built with"),
        ({"parameters": 1}, "says 1 parameters"),
        ({"sha256": "0" * 64}, "its card says '000000000000'"),
    ],
)
def test_cards_that_do_not_fit_are_refused(saved, changes, match):
    """A card for another architecture, recipe, size or version of the weights."""
    edit_card(saved, **changes)
    refused(saved, match)


def test_shapes_are_checked_before_anything_is_read(saved, monkeypatch):
    """A card that asks for a giant network costs no memory: no tensor is read."""
    edit_card(saved, options={"width": 4096}, parameters=0)
    monkeypatch.setattr("napari_brats.networks.checkpoint.read_tensors", None)
    refused(saved, "says 0 parameters, but")
    edit_card(saved, parameters=parameter_count(meta_unet(4096)))
    refused(saved, "has shape")


def meta_unet(width):
    with torch.device("meta"):
        return create_model("unet3d", width=width)


def test_a_missing_half_is_named(saved):
    """No weights, or no card."""
    card = saved.with_suffix(".json")
    card.rename(saved.parent / "elsewhere.json")
    refused(saved, "has no card; put its 'net.json' beside it")
    saved.unlink()
    refused(saved, "neither a model .* nor a .safetensors file")


@pytest.mark.parametrize("may_lack", [["t1"], ["flair", "T2"]])
def test_only_a_modality_of_its_own_may_be_missing(saved, may_lack):
    """The recipe of this network takes no T1, and names are as elsewhere in the card."""
    edit_card(saved, may_lack=may_lack)
    refused(saved, r"expected some of its modalities flair, t1ce, t2, two at least")
