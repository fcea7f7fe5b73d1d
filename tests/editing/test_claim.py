"""Two windows on one case are noticed; a claim whose holder died is taken over."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

from napari_brats.editing.claim import Claim
from napari_brats.editing.owner import SILENCE_S, Owner

CASE = "BraTS2021_00000"


@pytest.fixture
def image(tmp_path):
    return tmp_path / f"{CASE}_t1.nii.gz"


@pytest.fixture
def place(tmp_path):
    return tmp_path / f".{CASE}.open"


def write_claim(place, owner):
    place.write_text(json.dumps({"owner": asdict(owner), "since": 1.0}))


def test_one_window(image, place):
    """The first window gets the claim, keeps it, and takes the file away with it."""
    claim = Claim.of_case(CASE, image)
    assert claim.renew() is None
    assert claim.renew() is None
    assert json.loads(place.read_text())["owner"]["process"] == os.getpid()
    claim.release()
    assert not place.exists()


def test_two_windows(image):
    """The second is told who was first, also in one process; it follows when that one closes."""
    first, second = Claim.of_case(CASE, image), Claim.of_case(CASE, image)
    first.renew()
    assert second.renew().owner.process == os.getpid()
    second.release()
    third = Claim.of_case(CASE, image)
    assert third.renew() is not None
    first.release()
    assert third.renew() is None
    third.release()


def test_a_dead_holder(image, place):
    """A process that ended, or whose number another process has now, holds nothing."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    here = Owner.new()
    here.release()
    for owner in (replace(here, process=ended.pid), replace(here, process=1, started=0.0), here):
        write_claim(place, owner)
        claim = Claim.of_case(CASE, image)
        assert claim.renew() is None
        claim.release()


def test_a_holder_on_another_machine(image, place):
    """It is believed while it shows signs of life, and no longer."""
    write_claim(place, Owner("another-machine", 1, 0.0))
    claim = Claim.of_case(CASE, image)
    assert claim.renew().owner.host == "another-machine"
    silent = time.time() - SILENCE_S - 1
    os.utime(place, (silent, silent))
    assert claim.renew() is None
    claim.release()


def test_a_file_that_is_no_claim(image, place):
    """A broken file warns nobody and is replaced once it is old."""
    place.write_text("{")
    claim = Claim.of_case(CASE, image)
    assert claim.renew() is None
    assert place.read_text() == "{"
    os.utime(place, (0, 0))
    assert claim.renew() is None
    assert json.loads(place.read_text())["since"] > 1
    claim.release()


def test_nowhere_to_write(tmp_path, monkeypatch):
    """Without a writable folder there is no claim, and no error either."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NAPARI_BRATS_DATA", str(tmp_path / "file"))
    claim = Claim.of_case(CASE, tmp_path / "file" / "t1.nii.gz")
    assert claim.renew() is None
    claim.release()


def test_released_while_it_is_being_taken(image, place, monkeypatch):
    """A look in the background that ends after the window closed leaves no claim behind."""
    claim = Claim.of_case(CASE, image)
    take = claim._take

    def slowly(path):
        claim.release()
        return take(path)

    monkeypatch.setattr(claim, "_take", slowly)
    claim.renew()
    assert not place.exists()
    claim.renew()
    assert not place.exists()


def test_names_in_any_script(tmp_path):
    """Two patients of one folder are two patients, whatever letters their names have."""
    claims = [Claim.of_case(name, tmp_path / f"{name}_t1.nii.gz") for name in ("患者一", "患者二")]
    assert [claim.renew() for claim in claims] == [None, None]
    assert len(list(tmp_path.glob(".*.open"))) == 2
    for claim in claims:
        claim.release()
