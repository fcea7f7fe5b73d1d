"""SAMPLES: the synthetic patients that come with the package, and where they lie.

They stand at the top level of a checkout and inside the package of an installed wheel.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_brats.errors import CaseError

_PACKAGE = Path(__file__).resolve().parent
_PLACES = (_PACKAGE / "sample_data", _PACKAGE.parents[1] / "sample_data")


@dataclass(frozen=True)
class Sample:
    """One bundled patient.

    Parameters
    ----------
    key : str
        Name in menus' commands and on the command line.
    title : str
        One line for people.
    folder : str
        Folder in `sample_data_dir`, which is the patient's id too.
    """

    key: str
    title: str
    folder: str


SAMPLES: Mapping[str, Sample] = {
    row.key: row
    for row in (
        Sample("brats2021", "Synthetic glioma, BraTS 2021 naming", "BraTS2021_90001"),
        Sample("brats2023", "Synthetic glioma, BraTS 2023 naming", "BraTS-GLI-90002-000"),
    )
}


def sample_data_dir() -> Path:
    """Return the folder that holds the bundled patients.

    Raises
    ------
    CaseError
        If this installation came without them.
    """
    for place in _PLACES:
        if any((place / row.folder).is_dir() for row in SAMPLES.values()):
            return place
    raise CaseError(
        f"the sample patients are not in {_PLACES[0].as_posix()!r}; "
        "reinstall napari-brats, or work in a full checkout of it"
    )


def sample_folder(key: str) -> Path:
    """Return a bundled patient's folder.

    Parameters
    ----------
    key : str
        Row of `SAMPLES`.

    Raises
    ------
    CaseError
        If there is no such sample, or it is not installed.
    """
    if key not in SAMPLES:
        raise CaseError(f"unknown sample {key!r}; choose one of {', '.join(SAMPLES)}")
    folder = sample_data_dir() / SAMPLES[key].folder
    if not folder.is_dir():
        raise CaseError(
            f"the sample patient {SAMPLES[key].folder!r} is not in "
            f"{folder.parent.as_posix()!r}; reinstall napari-brats"
        )
    return folder
