"""Where a cohort's results lie: the one place that names the files of an output folder."""

import re
from dataclasses import dataclass
from pathlib import Path

from napari_brats.plugin.masks import mask_name

PREFIX = "sub-"


@dataclass(frozen=True)
class Layout:
    """The files of one output folder.

    Parameters
    ----------
    root : Path
        The output folder.
    """

    root: Path

    @property
    def description(self) -> Path:
        """BIDS's description of the derivatives."""
        return self.root / "dataset_description.json"

    @property
    def provenance(self) -> Path:
        """What was asked for; `cohort --replay` takes it."""
        return self.root / "provenance.json"

    @property
    def csv(self) -> Path:
        """The table, for everybody."""
        return self.root / "cohort.csv"

    @property
    def parquet(self) -> Path:
        """The same table, for programs."""
        return self.root / "cohort.parquet"

    @property
    def html(self) -> Path:
        """The page."""
        return self.root / "cohort.html"

    @property
    def queue(self) -> Path:
        """The patients, those that need a look first."""
        return self.root / "queue.csv"

    @property
    def claim(self) -> Path:
        """Who is at work here, while a run goes on."""
        return self.root / ".run.open"

    def scores(self, maker: str) -> Path:
        """Return the table of one model's scores, as ``evaluate --csv`` writes it."""
        return self.root / f"scores_{safe(maker)}.csv"

    def folder(self, patient: str) -> Path:
        """Return a patient's folder, ``sub-<letters and digits of the id>``."""
        return self.root / f"{PREFIX}{label_of(patient)}"

    def mask(self, patient: str, maker: str, image: Path, number: int = 1) -> Path:
        """Return the mask's file; MetaImage patients get MetaImage masks."""
        return self.folder(patient) / mask_name(image, patient, maker, number)

    def probabilities(self, patient: str, maker: str) -> Path:
        """Return the file of the probabilities of WT, TC, ET."""
        return self.folder(patient) / f"{patient}_{safe(maker)}_probabilities.nii.gz"

    def figure(self, patient: str, maker: str) -> Path:
        """Return the picture of the mask."""
        return self.folder(patient) / f"{patient}_{safe(maker)}_figure.png"

    def record(self, patient: str, maker: str) -> Path:
        """Return the record of one mask; what has none is not done."""
        return self.folder(patient) / f"{patient}_{safe(maker)}_record.json"

    def records(self) -> list[Path]:
        """Return all records that are there, in the order of their names."""
        return sorted(self.root.glob(f"{PREFIX}*/*_record.json"))

    def relative(self, path: Path) -> str:
        """Return a path as the table holds it: from the output folder, with slashes."""
        return path.relative_to(self.root).as_posix()


def label_of(patient: str) -> str:
    """Return a patient's BIDS label: the letters and digits of its id."""
    return re.sub(r"[^A-Za-z0-9]", "", patient)


def safe(maker: str) -> str:
    """Return a model's name as files have it."""
    return re.sub(r"[^A-Za-z0-9._+]+", "-", maker).strip("-") or "model"
