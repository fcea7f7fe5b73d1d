"""`Decision`: what a reader did about one place in which two masks differ."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a reader did about a place."""

    TAKE_A = "take A"
    TAKE_B = "take B"
    EDIT = "edit"
    IGNORE = "ignore"


@dataclass(frozen=True)
class Decision:
    """One line of a case's decisions; docs/reviews.md says what the fields mean.

    Parameters
    ----------
    a, b : str
        Titles of the mask that was corrected and of what it was compared with.
    region, kind, digest : str
        As in `disagreements.Place`, in the file's own voxel order.
    voxel : tuple of int
        The place's middle: a voxel (x, y, z) of the patient's files.
    volume_ml : float
        Of the place.
    verdict : Verdict
        What was done.
    reader, at : str
        Who did it and when (UTC, ISO 8601).
    """

    a: str
    b: str
    region: str
    kind: str
    voxel: tuple[int, int, int]
    volume_ml: float
    digest: str
    verdict: Verdict
    reader: str = ""
    at: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as they are written."""
        return {**asdict(self), "voxel": list(self.voxel), "verdict": str(self.verdict)}

    @classmethod
    def from_json(cls, item: Mapping[str, Any]) -> "Decision":
        """Read the fields; unknown ones are passed over.

        Raises
        ------
        KeyError, TypeError, ValueError
            If one is missing or makes no sense.
        """
        texts = {name: str(item[name]) for name in ("a", "b", "region", "kind", "digest")}
        x, y, z = (int(at) for at in item["voxel"])
        return cls(
            **texts,
            voxel=(x, y, z),
            volume_ml=float(item["volume_ml"]),
            verdict=Verdict(item["verdict"]),
            reader=str(item.get("reader", "")),
            at=str(item.get("at", "")),
        )
