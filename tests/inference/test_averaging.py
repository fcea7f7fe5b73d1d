"""Several networks averaged, left and right exchanged, and modalities that are missing."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from napari_brats.errors import Cancelled, CaseError
from napari_brats.inference import averaging, predictor
from napari_brats.inference.averaging import predict_average, share
from napari_brats.inference.devices import DeviceChoice, resolve_device
from napari_brats.inference.predictor import Ensemble
from napari_brats.inference.runner import Ran
from napari_brats.networks.card import Card
from napari_brats.networks.checkpoint import save_checkpoint
from napari_brats.preprocessing.recipes import RECIPES

CPU = DeviceChoice("cpu", "float32", "CPU")
NAMES = ("dresunet3d", "kermi2018")


@dataclass
class Certain:
    """A member that gives every voxel of the recipe's grid the same probabilities."""

    probabilities: tuple[float, float, float]
    card: Card
    device: DeviceChoice = CPU
    ran_on: DeviceChoice = CPU

    def regions(self, prepared, *, on_step, on_notice):
        shape = prepared.volume.shape[1:]
        if on_step is not None:
            on_step(0, 2)
            on_step(2, 2)
        columns = [np.full(shape, value, np.float32) for value in self.probabilities]
        return Ran(np.stack(columns), SimpleNamespace(device=self.ran_on, name="torch"), 10**8)


def certain(*probabilities, recipe="brain-1.5mm", **fields):
    """Return a member with a card of its own."""
    modalities = RECIPES[recipe].modalities
    card = Card(f"net-{probabilities[0]}", "unet3d", "lite", recipe, modalities, "regions")
    return Certain(probabilities, replace(card, **fields))


def test_one_member_is_the_network_itself(tiny_predictor, tiny_case):
    """Empty case: an ensemble of one adds nothing, not even rounding."""
    member, case = tiny_predictor(), tiny_case()
    alone, together = member.predict(case), Ensemble((member,)).predict(case)
    np.testing.assert_array_equal(alone.probabilities, together.probabilities)
    np.testing.assert_array_equal(alone.tissues, together.tissues)


def test_the_mean_decides_and_tissues_are_nested(tiny_case):
    """By hand: 0.2 and 0.9 are 0.55, tumor; 0.9 and 0 are 0.45, none; ET only inside TC."""
    case = tiny_case()
    found = predict_average([certain(0.2, 0.9, 0.9), certain(0.9, 0.0, 0.9)], case)
    middle = found.probabilities[:, 13, 11, 5]
    np.testing.assert_allclose(middle, [0.55, 0.45, 0.9], atol=1e-6)
    assert found.tissues[13, 11, 5] == 2  # edema: outside TC there is no ET
    assert found.tissues[0, 0, 0] == 0


@pytest.mark.parametrize("recipes", [("brain-1.5mm",) * 2, ("brain-1.5mm", "kermi2018")])
def test_the_mean_is_taken_on_the_patients_grid(recipes, tiny_predictor, tiny_case, monkeypatch):
    """Whatever grids the members work on; equal recipes share one preprocessing."""
    prepared = []

    def counted(recipe, *rest):
        prepared.append(recipe.name)
        return prepare(recipe, *rest)

    case, prepare = tiny_case(), averaging.prepare
    members = [
        tiny_predictor(name, recipe=recipe, seed=seed)
        for seed, (name, recipe) in enumerate(zip(NAMES, recipes, strict=True))
    ]
    expected = np.mean([one.predict(case).probabilities for one in members], axis=0)
    monkeypatch.setattr(averaging, "prepare", counted)
    found = Ensemble(tuple(members)).predict(case)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    assert prepared == list(dict.fromkeys(recipes))
    assert set(found.seconds) == {"preprocess", "network", "postprocess"}


def test_progress_counts_all_members_and_cancelling_stops_between_them(tiny_case):
    """The share that is done only grows, to the end; what on_step raises comes through."""
    members, steps = [certain(0.1, 0, 0), certain(0.2, 0, 0), certain(0.3, 0, 0)], []
    predict_average(members, tiny_case(), on_step=lambda *step: steps.append(step))
    windows = [(0, 6), (2, 6), (2, 6), (4, 6), (4, 6), (6, 6)]
    before = [(0, 0)] * (len(RECIPES[members[0].card.recipe].steps) + 1)
    assert steps == [*before, *windows, (6, 6)]

    def stop(done, total):
        if done == 2:
            raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        predict_average(members, tiny_case(), on_step=stop)
    assert share(None, 0, 2) is None


def test_the_limit_for_traces_is_the_mean_of_the_members(tiny_case):
    """A whole tumor of less enhancement than that is taken for necrosis, and it is told."""
    case, notices = tiny_case(), []
    plain = predict_average([certain(1, 1, 1), certain(0.9, 0.9, 0.9)], case)
    volume = np.count_nonzero(plain.tissues == 3) * case.voxel_ml
    limits = certain(1, 1, 1, least_enhancing_ml=3 * volume), certain(0.9, 0.9, 0.9)
    found = predict_average(limits, case, on_notice=notices.append)
    assert not np.any(found.tissues == 3)
    np.testing.assert_array_equal(found.tissues > 0, plain.tissues > 0)
    assert f"less than the {1.5 * volume:g} ml that net-1+net-0.9" in notices[0]


def test_a_member_that_left_its_device_is_told_of(tiny_case):
    """What ran on the CPU after all decides what the result says."""
    gpu = DeviceChoice("cuda", "bfloat16", "GPU", 0)
    members = [
        replace(certain(0.1, 0, 0), device=gpu, ran_on=gpu),
        replace(certain(0.2, 0, 0), device=gpu),
    ]
    assert predict_average(members, tiny_case()).device == CPU
    assert predict_average(members[:1], tiny_case()).device == gpu


@pytest.mark.parametrize(("name", "recipe"), [("dresunet3d", "brain-2mm"), ("kermi2018",) * 2])
def test_mirroring_treats_left_and_right_alike(name, recipe, tiny_predictor, tiny_case):
    """The mirror image of a patient gets the mirror image of the mask, on any grid."""
    # Voxels run anterior, left, superior: left-right is the second axis.
    affine = np.array([[0.0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    case = tiny_case((21, 24, 9), affine=affine)
    images = {name: image[:, ::-1].copy() for name, image in case.images.items()}
    other = tiny_case((21, 24, 9), affine=affine, images=images)
    member = tiny_predictor(name, recipe=recipe)
    plain = [member.predict(one).probabilities for one in (case, other)]
    assert np.abs(plain[0] - plain[1][:, :, ::-1]).max() > 1e-3
    member.mirror = True
    steps = []
    found = member.predict(case, on_step=lambda *step: steps.append(step)).probabilities
    np.testing.assert_allclose(found, member.predict(other).probabilities[:, :, ::-1], atol=1e-4)
    np.testing.assert_allclose(found, (plain[0] + plain[1][:, :, ::-1]) / 2, atol=1e-4)
    assert steps[0][0] == 0
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_the_second_pass_begins_where_the_first_one_ended(tiny_predictor, tiny_case, monkeypatch):
    """A device that failed once is not tried again for the mirror image."""
    began = []

    def run(make_engine, volume, device, settings, **_):
        began.append(device)
        engine = SimpleNamespace(device=CPU, name="torch")
        return Ran(np.zeros((3, *volume.shape[1:]), np.float32), engine, 10**8)

    monkeypatch.setattr(predictor, "run_network", run)
    gpu = DeviceChoice("cuda", "bfloat16", "GPU", 0)
    member = replace(tiny_predictor(), device=gpu, mirror=True)
    assert member.predict(tiny_case()).device == CPU
    assert began == [gpu, CPU]


def test_a_modality_may_be_missing_where_the_card_says_so(tiny_predictor, tiny_case):
    """Its channel holds the background; the person is told, and the prediction says which."""
    case, notices = tiny_case(), []
    rest = {name: image for name, image in case.images.items() if name != "t1"}
    member = tiny_predictor(may_lack=("t1", "t2"))
    found = member.predict(tiny_case(images=rest), on_notice=notices.append)
    blank = tiny_case(images={**rest, "t1": np.zeros_like(rest["t2"])})
    np.testing.assert_allclose(found.probabilities, member.predict(blank).probabilities, atol=1e-6)
    assert found.missing == ("t1",)
    assert notices == ["'P1' has no t1; dresunet3d must do without it"]
    assert member.predict(case).missing == ()


@pytest.mark.parametrize("lost", [("t1ce",), ("t1", "t2")])
def test_what_the_card_does_not_spare_is_refused(lost, tiny_predictor, tiny_case):
    """Another modality, or a second one: the message says which of them may be missing."""
    images = {name: image for name, image in tiny_case().images.items() if name not in lost}
    with pytest.raises(CaseError, match=r"needs \(all but one of t1, t2\)"):
        tiny_predictor(may_lack=("t1", "t2")).predict(tiny_case(images=images))


def test_a_member_that_needs_fewer_modalities_lacks_none(tiny_case):
    """Only those that would have used the modality are named."""
    notices = []
    rest = {name: image for name, image in tiny_case().images.items() if name != "t1"}
    members = (
        certain(0.1, 0, 0, may_lack=("t1",)),
        certain(0.2, 0, 0, recipe="kermi2018", may_lack=("t1",)),
        certain(0.5, 0, 0, recipe="unet3d"),
    )
    found = predict_average(members, tiny_case(images=rest), on_notice=notices.append)
    assert found.missing == ("t1",)
    assert notices == ["'P1' has no t1; net-0.1 and net-0.2 must do without it"]


def test_saved_checkpoints_are_loaded_by_one_name(tmp_path, tiny_predictor, tiny_case):
    """``a+b`` loads both, on the device and with the mirroring that were asked for."""
    members = [tiny_predictor(seed=seed) for seed in (0, 1)]
    for number, member in enumerate(members):
        save_checkpoint(member.network, member.card, tmp_path / f"net{number}")
    both = f"{tmp_path / 'net0.safetensors'}+{tmp_path / 'net1.safetensors'}"
    loaded = Ensemble.load(both, device="cpu", precision="float32", mirror=True)
    assert [member.mirror for member in loaded.members] == [True, True]
    expected = Ensemble(tuple(replace(one, mirror=True) for one in members)).predict(tiny_case())
    np.testing.assert_array_equal(loaded.predict(tiny_case()).probabilities, expected.probabilities)
    assert loaded.members[0].device == resolve_device("cpu", "float32")


def test_a_skull_is_told_of(tiny_case):
    """Where images hold more than a brain; not for a modality that no network looks at."""
    lines: list[str] = []
    head = tiny_case(affine=np.diag([12.0, 12, 12, 1]))
    member = certain(1, 0, 0, recipe="brain-2mm")
    prediction = predict_average([member], head, on_notice=lines.append)
    assert lines == list(prediction.notes)
    assert lines[0].startswith("'P1' may not be skull-stripped: flair, t1, t1ce, t2 differs from 0")
    extra = {**tiny_case().images, "t1": np.ones(head.shape, np.float32)}
    brain = tiny_case(images=extra, affine=np.diag([9.0, 9, 9, 1]))
    lines.clear()
    averaging.Passage([certain(1, 0, 0, recipe="unet3d")], brain, on_notice=lines.append)
    assert not lines
    averaging.Passage([member], brain, on_notice=lines.append)
    assert "stripped: t1 differs" in lines[0]
