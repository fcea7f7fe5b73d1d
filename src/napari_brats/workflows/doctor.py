"""Look at an installation: what is there, what lacks, and what to do about it."""

import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from napari_brats.errors import BratsError
from napari_brats.naming import recognize
from napari_brats.networks.card import WEIGHTS_FOLDER, read_card_file
from napari_brats.networks.catalog import added_names, user_folder
from napari_brats.networks.ensembles import scores_path
from napari_brats.samples import SAMPLES, sample_folder
from napari_brats.workflows.display import opengl_version, qt_bindings, why_no_window

State = Literal["ok", "note", "problem"]

PACKAGE = "napari-brats"
EXTRAS = {
    "all": "the window or the fast engine for CPUs needs it",
    "train": "napari-brats train needs it",
    "consensus": "napari-brats agree --consensus staple needs it",
    "models": "importing or fetching models needs it",
    "dicom": "napari-brats convert dicom-seg needs it",
    "cluster": "napari-brats cohort with several workers needs it",
}
_REINSTALL = f"pip install --force-reinstall {PACKAGE}"

# PySide6 6.12.0 on Python 3.11 loses references to None until the interpreter aborts;
# napari itself excludes 6.11.0 and 6.11.1.
_BROKEN_PYSIDE = {
    "6.11.0": "napari does not work with it",
    "6.11.1": "napari does not work with it",
}
_CRASHING_PYSIDE = "6.12"


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Parameters
    ----------
    subject : str
        What was looked at.
    state : {"ok", "note", "problem"}
        ``"note"``: works, with less; ``"problem"``: something the user expects will fail.
    found : str
        One line.
    cure : str
        What to do; empty where there is nothing to do.
    """

    subject: str
    state: State
    found: str
    cure: str = ""


def examine() -> Iterator[Finding]:
    """Yield the findings one after another, cheap ones first."""
    yield Finding(
        PACKAGE,
        "ok",
        f"{_installed(PACKAGE)} on Python {platform.python_version()}, "
        f"{platform.system()} {platform.machine()}",
    )
    yield from packages()
    yield from devices()
    yield from window()
    yield from weights()
    yield from added_weights()
    yield from samples()
    yield writing(Path.cwd())


def packages() -> Iterator[Finding]:
    """Look for the packages that are needed, and those that the extras bring, each once."""
    for name, extra in dict(_requirements()).items():
        found = _installed(name)
        if found:
            yield Finding(name, "ok", found)
        elif extra is None:
            yield Finding(name, "problem", "not installed", f"pip install {name}")
        else:
            yield Finding(
                name, "note", f"not installed; {EXTRAS[extra]}", f'pip install "{PACKAGE}[{extra}]"'
            )


def _requirements() -> Iterator[tuple[str, str | None]]:
    """Yield (package, extra or None) as the installed metadata say; ``all`` before its parts."""
    for line in requires(PACKAGE) or ():
        name = re.match(r"[\w.-]+", line)
        extra = re.search(r"extra == ['\"](\w+)", line)
        if name and (extra is None or extra[1] in EXTRAS):
            yield name[0], extra[1] if extra else None


def devices() -> Iterator[Finding]:
    """Look for what networks can run on."""
    try:
        import torch
    except (ImportError, OSError) as error:
        # On Windows a missing runtime library shows as an OSError.
        yield Finding(
            "torch", "problem", f"does not load: {str(error).splitlines()[0]}",
            "pip install --force-reinstall torch (on Windows: install the Microsoft Visual C++ "
            "runtime first)",
        )  # fmt: skip
        return
    from napari_brats.inference.devices import available_devices

    found = available_devices()
    for choice in found:
        yield Finding(choice.torch_name, "ok", choice.title)
    yield Finding("threads", "ok", f"{torch.get_num_threads()} used, {os.cpu_count()} cores")
    if torch.version.cuda is not None and all(choice.kind != "cuda" for choice in found):
        yield Finding(
            "CUDA", "note", "this torch can use it, but no NVIDIA device answers",
            "if there is one, update its driver; otherwise nothing to do",
        )  # fmt: skip


def window() -> Iterator[Finding]:
    """Look whether napari can open a window."""
    for binding in qt_bindings():
        yield _binding(binding, _installed(binding))
    reason = why_no_window()
    if reason is not None:
        yield Finding(
            "window", "note", f"none can open: {reason}",
            "segment and evaluate work without; napari-brats demo writes files instead",
        )  # fmt: skip
        return
    yield Finding("window", "ok", f"can open, OpenGL {opengl_version()[0]}")


def _binding(name: str, found: str) -> Finding:
    if name == "PySide6":
        fault = _BROKEN_PYSIDE.get(found)
        if fault is None and found.startswith(_CRASHING_PYSIDE) and sys.version_info < (3, 12):
            fault = "it crashes within a minute on Python 3.11"
        if fault is not None:
            return Finding(
                name, "problem", f"{found}; {fault}",
                f'pip uninstall PySide6 shiboken6; then pip install "{PACKAGE}[all]" for PyQt6',
            )  # fmt: skip
    return Finding(name, "ok", found)


def weights(folder: Path = WEIGHTS_FOLDER) -> Iterator[Finding]:
    """Compare the bundled weights with the checksums in their cards.

    Parameters
    ----------
    folder : Path
        Where cards (``.json``) and weights (``.safetensors``) lie.
    """
    # What all of them score together is a file of its own among the cards.
    cards = sorted(path for path in folder.glob("*.json") if path.name != scores_path().name)
    if not cards:
        yield Finding("weights", "problem", "none came along", _REINSTALL)
    for card in cards:
        yield _checksum(card, _REINSTALL)


def added_weights() -> Iterator[Finding]:
    """Compare the models that the user added with the checksums in their cards."""
    for name in added_names():
        cure = f"napari-brats models remove {name}; then add it again"
        yield _checksum(user_folder() / f"{name}.json", cure)


def _checksum(card: Path, cure: str) -> Finding:
    """Compare the weights beside a card with its checksum."""
    file = card.with_name(f"{card.name.removesuffix('.json')}.safetensors")
    subject = f"weights {file.stem}"
    try:
        expected = read_card_file(card).sha256
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except (BratsError, OSError) as error:
        return Finding(subject, "problem", f"cannot be read: {error}", cure)
    if digest != expected:
        return Finding(subject, "problem", "damaged: the checksum differs", cure)
    return Finding(subject, "ok", f"{file.stat().st_size / 2**20:.1f} MiB, checksum right")


def samples() -> Iterator[Finding]:
    """Look for the bundled patients."""
    for key, sample in SAMPLES.items():
        subject = f"sample {sample.folder}"
        try:
            patient = recognize(sample_folder(key))
        except BratsError as error:
            yield Finding(subject, "problem", str(error))
        else:
            yield Finding(subject, "ok", f"{len(patient.images)} modalities, {patient.naming}")


def writing(folder: Path) -> Finding:
    """Look whether results can be written into a folder."""
    if os.access(folder, os.W_OK | os.X_OK):
        return Finding("this folder", "ok", "results can be written here")
    return Finding(
        "this folder", "note", f"nothing can be written into {str(folder)!r}",
        "change to another folder, or give one with --output",
    )  # fmt: skip


def _installed(name: str) -> str:
    """Return a package's version, or an empty string."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
