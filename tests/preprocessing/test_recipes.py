"""Recipes: each one's inputs, the way back to the patient's grid, and where masks land."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.case import load_case
from napari_brats.errors import CheckpointError
from napari_brats.preprocessing.recipes import RECIPES, Recipe, prepare, recipe_named
from napari_brats.volumes import spacing_of

CUBE = (128, 128, 128)
EVERY_RECIPE = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
LPS = np.diag([-1.0, -1, 1, 1])


def images_of(shape: tuple[int, int, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Return four modalities: noise in an ellipsoid that fills most of the grid."""
    rng = np.random.default_rng(seed)
    grid = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    brain = sum(axis**2 for axis in grid) < 1.2
    return {
        name: np.where(brain, rng.normal(500, 60, shape), 0).astype(np.float32)
        for name in ("t1", "t1ce", "t2", "flair")
    }


@st.composite
def affines(draw: st.DrawFn) -> np.ndarray:
    """Draw any axis order and signs, oblique by up to 0.3 rad, voxels of 0.7 to 2.5 mm."""
    order = draw(st.permutations(range(3)))
    signs = draw(st.tuples(*[st.sampled_from((-1.0, 1.0))] * 3))
    turned = np.eye(3)[:, order] * signs
    for axis in range(3):
        angle = draw(st.floats(-0.3, 0.3))
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[[a, a, b, b], [a, b, a, b]] = (
            np.cos(angle),
            -np.sin(angle),
            np.sin(angle),
            np.cos(angle),
        )
        turned = turn @ turned
    spacing = draw(st.tuples(*[st.sampled_from((0.7, 1.0, 1.2, 2.5))] * 3))
    affine = np.eye(4)
    affine[:3, :3] = turned * spacing
    affine[:3, 3] = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    return affine


def centroid(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return the weighted middle of a soft mask (1, X, Y, Z) in world mm."""
    voxels = np.argwhere(mask[0] > 0)
    middle = np.average(voxels, axis=0, weights=mask[0][mask[0] > 0])
    return np.asarray(affine[:3] @ [*middle, 1])


@EVERY_RECIPE
@settings(max_examples=8)
@given(affine=affines(), shape=st.tuples(*[st.integers(1, 14)] * 3))
def test_masks_return_to_the_patients_grid(
    recipe: Recipe, affine: np.ndarray, shape: tuple[int, int, int]
) -> None:
    """Any orientation, obliquity, spacing and odd shape: back(there(mask)) is on its grid."""
    prepared = prepare(recipe, images_of(shape), affine)
    assert prepared.volume.dtype == np.float32
    assert prepared.volume.shape[0] == len(recipe.modalities)
    assert np.isfinite(prepared.volume).all()
    mask = np.ones((1, *shape), np.float32)
    there = prepared.way.there(mask)
    assert there.shape[1:] == prepared.volume.shape[1:]
    back = prepared.way.back(there)
    assert back.shape == mask.shape
    assert back.min() >= 0
    assert back.max() <= 1 + 1e-6


@EVERY_RECIPE
@settings(max_examples=6)
@given(affine=affines(), where=st.tuples(*[st.integers(6, 9)] * 3))
def test_masks_keep_their_place_in_the_world(
    recipe: Recipe, affine: np.ndarray, where: tuple[int, int, int]
) -> None:
    """A blob's centroid in mm is the same on the patient's grid, the recipe's, and back.

    To half a millimeter, or about a third of the recipe's voxel where that is more.
    """
    shape = (16, 17, 15)
    prepared = prepare(recipe, images_of(shape), affine)
    blob = np.zeros((1, *shape), np.float32)
    x, y, z = where
    blob[0, x - 2 : x + 3, y - 2 : y + 3, z - 2 : z + 3] = 1
    there = prepared.way.there(blob)
    expected = centroid(blob, affine)
    apart_mm = max(0.5, 0.35 * float(spacing_of(prepared.affine).max()))
    np.testing.assert_allclose(centroid(there, prepared.affine), expected, atol=apart_mm)
    back = prepared.way.back(there)
    np.testing.assert_allclose(centroid(back, affine), expected, atol=apart_mm)


@EVERY_RECIPE
def test_an_empty_patient_goes_through(recipe: Recipe) -> None:
    """No brain at all gives a finite input, and a way back."""
    images = {name: np.zeros((6, 5, 4), np.float32) for name in ("t1", "t1ce", "t2", "flair")}
    prepared = prepare(recipe, images, LPS)
    assert np.isfinite(prepared.volume).all()
    assert prepared.way.back(prepared.volume[:1]).shape == (1, 6, 5, 4)


@pytest.mark.parametrize(
    ("name", "channels", "shape"),
    [
        ("brain-1mm", ("flair", "t1ce", "t2", "t1"), (20, 22, 18)),
        ("brain-1.5mm", ("flair", "t1ce", "t2", "t1"), (13, 15, 12)),
        ("dresunet3d", ("flair", "t1ce", "t2", "t1"), CUBE),
        ("dresunet3d-code", ("flair", "t1ce", "t2", "t1"), CUBE),
        ("dr_unet104", ("flair", "t1ce", "t1", "t2"), (20, 22, 18)),
        ("kermi2018", ("flair", "t1", "t1ce", "t2"), (22, 20, 18)),
        ("unet3d", ("flair", "t1ce", "t2"), CUBE),
        ("unet3d-code", ("flair", "t1ce", "t2"), CUBE),
        ("isensee2017", ("flair", "t1", "t1ce", "t2"), (160, 192, 160)),
        ("isensee2017-code", ("flair", "t1", "t1ce", "t2"), (160, 192, 160)),
    ],
)
def test_each_recipe_gives_its_published_channels_and_shape(
    name: str, channels: tuple[str, ...], shape: tuple[int, ...]
) -> None:
    """A 20 x 22 x 18 patient of 1 mm, channel order and grid as published."""
    recipe = RECIPES[name]
    assert recipe.modalities == channels
    assert prepare(recipe, images_of((20, 22, 18)), LPS).volume.shape == (len(channels), *shape)


def test_channels_follow_the_recipes_order() -> None:
    """The code variant of Isensee leaves intensities raw: channels can be recognized."""
    shape = (4, 5, 6)
    images = {
        name: np.full(shape, value, np.float32)
        for value, name in enumerate(("flair", "t1", "t1ce", "t2"), start=1)
    }
    volume = prepare(RECIPES["isensee2017-code"], images, LPS).volume
    np.testing.assert_array_equal(volume[:, 0, 0, 0], (1, 2, 3, 4))
    assert volume.sum() == 10 * np.prod(shape)  # at the corner, 0 elsewhere


def test_kermis_slices_are_transposed_with_background_minus_9() -> None:
    """SimpleITK's order of axes; predictions return to nibabel's."""
    images = images_of((20, 24, 6))
    prepared = prepare(RECIPES["kermi2018"], images, LPS)
    background = prepared.volume[0, :, :, 3] == RECIPES["kermi2018"].background
    np.testing.assert_array_equal(background.T, images["flair"][:, :, 3] == 0)


def test_an_unknown_recipe_lists_the_known_ones() -> None:
    """The message names what was asked for and what there is."""
    with pytest.raises(CheckpointError, match=r"unknown recipe 'nnunet'; .*brain-1mm"):
        recipe_named("nnunet")


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "least"), [("brain-1mm", 1.0), ("brain-1.5mm", 0.95)])
def test_a_real_tumor_survives_the_round_trip(real_data_dir: Path, name: str, least: float) -> None:
    """Dice of the whole tumor there and back: exact at 1 mm, close at 1.5 mm."""
    case = load_case(min((real_data_dir / "validation").iterdir()))
    assert case.reference is not None
    prepared = prepare(RECIPES[name], case.images, case.affine)
    assert prepared.way.notes == ()
    tumor = case.reference > 0
    soft = prepared.way.back(prepared.way.there(tumor[None].astype(np.float32)))
    found = soft[0] > 0.5
    assert found.shape == case.shape
    assert 2 * np.count_nonzero(found & tumor) / (found.sum() + tumor.sum()) >= least


@pytest.mark.parametrize("name", ["brain-1.5mm", "kermi2018", "unet3d"])
def test_a_missing_modality_is_background_and_changes_no_other(name: str) -> None:
    """The other channels are what they would be without it."""
    recipe, images = RECIPES[name], images_of((20, 22, 18))
    whole = prepare(recipe, images, LPS).volume
    rest = {key: image for key, image in images.items() if key != "t2"}
    found = prepare(recipe, rest, LPS, ("t2", "a modality that the recipe has not")).volume
    place = recipe.modalities.index("t2")
    assert (found[place] == recipe.background).all()
    others = [n for n in range(len(recipe.modalities)) if n != place]
    np.testing.assert_array_equal(found[others], whole[others])
