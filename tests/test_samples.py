"""The bundled patients: where they are found, and what is said where they are not."""

from pathlib import Path

import pytest

from napari_brats import samples
from napari_brats.errors import CaseError
from napari_brats.naming import NAMINGS
from napari_brats.samples import SAMPLES, sample_data_dir, sample_folder


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)
def test_a_samples_folder_is_named_like_its_edition(sample: samples.Sample) -> None:
    """The id is one that the edition's own patients could have."""
    known = [row.name for row in NAMINGS.values() if row.parse(f"{sample.folder}_t1", "")] + [
        row.name for row in NAMINGS.values() if row.parse(f"{sample.folder}-t1n", "")
    ]
    assert {"brats2021", "brats-gli"} & set(known)


@pytest.mark.parametrize("place", [0, 1])
def test_either_place_serves(place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside an installed package, or at the top of a checkout."""
    places = (tmp_path / "package", tmp_path / "checkout")
    monkeypatch.setattr(samples, "_PLACES", places)
    sample = next(iter(SAMPLES.values()))
    folder = places[place] / sample.folder
    folder.mkdir(parents=True)
    assert sample_data_dir() == places[place]
    assert sample_folder(sample.key) == folder


def test_an_installation_without_samples_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the folder and the cure."""
    monkeypatch.setattr(samples, "_PLACES", (tmp_path / "nowhere",))
    with pytest.raises(CaseError, match=r"nowhere.*reinstall"):
        sample_data_dir()


def test_an_unknown_sample_lists_the_known() -> None:
    """A typo is answered with the choices."""
    with pytest.raises(CaseError, match=f"'x'.*{next(iter(SAMPLES))}"):
        sample_folder("x")


def test_one_missing_sample_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an installation is told apart from none."""
    monkeypatch.setattr(samples, "_PLACES", (tmp_path,))
    first, second = SAMPLES.values()
    (tmp_path / first.folder).mkdir()
    with pytest.raises(CaseError, match=second.folder):
        sample_folder(second.key)
