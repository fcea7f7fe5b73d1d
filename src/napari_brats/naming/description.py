"""``dataset.json``: what the Decathlon and nnU-Net say of a whole dataset.

Both name the channels (``modality``, in nnU-Net 2 ``channel_names``) and the labels: a code
for each tissue or, in nnU-Net 2, all codes of each region.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from napari_brats.errors import CaseError
from napari_brats.regions import LABEL_CONVENTIONS, Tissue

IMAGE_FOLDERS = ("imagesTr", "imagesTs")
LABEL_FOLDERS = ("labelsTr", "labelsTs")

MODALITY_OF = {
    "flair": "flair",
    "t2f": "flair",
    "t1": "t1",
    "t1w": "t1",
    "t1n": "t1",
    "t1gd": "t1ce",
    "t1ce": "t1ce",
    "t1c": "t1ce",
    "t2": "t2",
    "t2w": "t2",
}
"""What datasets and manifests call the modalities, in small letters."""

# Looked for in a label's name, the first that is found: "non-enhancing" is no "enhancing".
_TISSUE_WORDS = {
    "edema": Tissue.EDEMA,
    "oedema": Tissue.EDEMA,
    "snfh": Tissue.EDEMA,
    "cavity": Tissue.CAVITY,
    "necro": Tissue.NECROSIS,
    "ncr": Tissue.NECROSIS,
    "netc": Tissue.NECROSIS,
    "non": Tissue.NECROSIS,
    "enhanc": Tissue.ENHANCING,
}
_REGION_WORDS = ("whole", "core", "enhanc")


@dataclass(frozen=True)
class Description:
    """What a ``dataset.json`` says.

    Parameters
    ----------
    channels : Mapping[str, int]
        Number of each modality's channel; empty if this is no brain tumor dataset.
    convention_name : str or None
        Row of `LABEL_CONVENTIONS` with the codes of its labels; None if none has them.
    """

    channels: Mapping[str, int]
    convention_name: str | None


def dataset_of(path: Path) -> Path | None:
    """Return the root of the dataset in whose images or labels a file lies, or None."""
    return path.parent.parent if path.parent.name in (*IMAGE_FOLDERS, *LABEL_FOLDERS) else None


def beside(folder: Path, kind: str) -> Path:
    """Return the folder of ``"images"`` or ``"labels"`` that goes with one of the other."""
    return folder.with_name(f"{kind}{folder.name[-2:]}")


def described(root: Path) -> Description | None:
    """Read the ``dataset.json`` of a dataset; None if it has none.

    Raises
    ------
    CaseError
        If it is there but cannot be read.
    """
    path = root / "dataset.json"
    if not os.path.isfile(path):
        return None
    facts = path.stat()
    return _read(path, facts.st_mtime_ns, facts.st_size)


@lru_cache(16)
def _read(path: Path, changed_ns: int, size: int) -> Description:
    """Read a description, once for all the files of a dataset, until it changes."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        names = content["channel_names"] if "channel_names" in content else content["modality"]
        channels = {
            MODALITY_OF[str(name).lower()]: int(index)
            for index, name in names.items()
            if str(name).lower() in MODALITY_OF
        }
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise CaseError(
            f"{str(path)!r} cannot be read as a description of a dataset ({error!r}); expected "
            'JSON with "modality" (Decathlon) or "channel_names" (nnU-Net): {"0": "FLAIR", ...}; '
            "copy it from the dataset again"
        ) from error
    return Description(channels, _convention(content.get("labels")))


def _convention(labels: Any) -> str | None:
    if not isinstance(labels, dict):
        return None
    codes = _codes({str(name).lower(): value for name, value in labels.items()})
    # The Decathlon's own row first, then in the table's order.
    rows = sorted(LABEL_CONVENTIONS.values(), key=lambda row: row.name != "msd")
    return next((row.name for row in rows if row.codes == codes), None)


def _codes(labels: Mapping[str, Any]) -> dict[int, Tissue]:
    """Return the tissue of each code, as far as the labels tell; both ways to write them."""
    if any(isinstance(value, list) for value in labels.values()):
        return _codes_of_regions(labels)
    found = {}
    for key, value in labels.items():
        code, name = (key, str(value).lower()) if key.isdecimal() else (str(value), key)
        tissue = next((one for word, one in _TISSUE_WORDS.items() if word in name), None)
        if tissue is not None and code.isdecimal():
            found[int(code)] = tissue
    return found


def _codes_of_regions(labels: Mapping[str, Any]) -> dict[int, Tissue]:
    """Return the tissues that three nested regions leave: edema, necrosis, enhancing tumor."""
    nested = []
    for word in _REGION_WORDS:
        value = next((value for name, value in labels.items() if word in name), None)
        nested.append(set(value if isinstance(value, list) else [value]) - {None})
    whole, core, enhancing = nested
    shells = {
        Tissue.EDEMA: whole - core,
        Tissue.NECROSIS: core - enhancing,
        Tissue.ENHANCING: enhancing,
    }
    return {code: tissue for tissue, shell in shells.items() for code in shell}
