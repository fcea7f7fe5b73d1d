"""Notice that something is worked on twice: a small file that says who is at work on it."""

import contextlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

from napari_brats.editing.owner import SILENCE_S, Owner
from napari_brats.editing.places import data_folder, safe_name
from napari_brats.plugin.masks import results_folder

RENEWAL_S = SILENCE_S / 10
"""How often `Claim.kept_up` renews."""

_ENDING = ".open"


@dataclass(frozen=True)
class Holder:
    """Somebody else who is at work, and since when (seconds since the epoch)."""

    owner: Owner
    since: float


class Claim:
    """Says that somebody is at work here, as long as nobody else does.

    Parameters
    ----------
    *places : Path
        Where the file may lie; the first that can be written counts.
    """

    def __init__(self, *places: Path) -> None:
        self._places = places
        self._owner = Owner.new()
        self._held: Path | None = None
        self._released = False

    @classmethod
    def of_case(cls, case_id: str, image: Path) -> "Claim":
        """Say that a case is open.

        It warns, it does not forbid: saving never replaces a mask that another window made.

        Parameters
        ----------
        case_id : str
            The patient.
        image : Path
            The patient's first image; the claim lies with the masks, or in the user's data
            folder where those cannot be written.
        """
        name = safe_name(case_id)
        study = sha256(str(image).encode()).hexdigest()[:8]
        return cls(
            results_folder(image) / f".{name}{_ENDING}",
            data_folder() / f".{name}-{study}{_ENDING}",
        )

    def renew(self) -> Holder | None:
        """Take the claim, or keep it up; returns who else has it.

        A claim whose holder is gone is taken over. One that was released is not taken again,
        even if another thread released it meanwhile.
        """
        for place in self._places:
            if self._released:
                return None
            with contextlib.suppress(OSError):
                holder = self._take(place)
                if self._released:
                    self._let_go()
                return holder
        return None

    @contextlib.contextmanager
    def kept_up(self) -> Iterator[None]:
        """Renew it from a thread, however long nothing happens, and release it in the end."""
        done = Event()

        def keep() -> None:
            while not done.wait(RENEWAL_S):
                self.renew()

        Thread(target=keep, name="napari-brats claim", daemon=True).start()
        try:
            yield
        finally:
            done.set()
            self.release()

    def release(self) -> None:
        """Let others have it."""
        self._released = True
        self._owner.release()
        self._let_go()

    def _let_go(self) -> None:
        if self._held is not None:
            with contextlib.suppress(OSError):
                holder = _holder(self._held)
                if holder is not None and holder.owner == self._owner:
                    self._held.unlink()
        self._held = None

    def _take(self, place: Path) -> Holder | None:
        holder = _holder(place)
        if holder is not None and holder.owner == self._owner:
            os.utime(place)
            return None
        if holder is not None and holder.owner.lives(place.stat().st_mtime):
            return holder
        if holder is not None:
            place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with place.open("x", encoding="utf-8") as file:
                json.dump(asdict(Holder(self._owner, time.time())), file)
        except FileExistsError:  # another window was a moment faster
            return _holder(place)
        self._held = place
        return None


def _holder(place: Path) -> Holder | None:
    """Read who has a claim; None where there is none, or nothing that can be read yet."""
    try:
        facts = json.loads(place.read_text(encoding="utf-8"))
        return Holder(Owner(**facts["owner"]), float(facts["since"]))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        if time.time() - place.stat().st_mtime > SILENCE_S:
            place.unlink(missing_ok=True)
        return None
