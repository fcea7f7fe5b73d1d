"""Atomic writes: the whole new file or the untouched old one, and nothing else."""

import errno
import json
import os

import pytest

from napari_brats.errors import OutputError
from napari_brats.volumes import atomic as atomic_module
from napari_brats.volumes import (
    atomic_write,
    new_folder,
    write_bytes_atomic,
    write_json_atomic,
)


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "mask.nii.gz"
    path.write_bytes(b"old")
    return path


def assert_untouched(target):
    assert target.read_bytes() == b"old"
    assert os.listdir(target.parent) == [target.name]


def test_new_file_in_a_new_folder(tmp_path):
    """Folders that lack are made; the path given comes back."""
    path = tmp_path / "a" / "b" / "mask.nii.gz"
    assert write_bytes_atomic(path, b"new") == path
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == ["mask.nii.gz"]


def test_temporary_file_lies_beside_the_target_and_ends_like_it(target):
    """The last step is a rename in one folder, and writers that go by the suffix work."""
    seen = []

    def write(path):
        seen.append(path)
        path.write_bytes(b"new")

    atomic_write(target, write)
    assert seen[0].parent == target.parent
    assert seen[0].name.endswith(target.name)
    assert seen[0].name.startswith(".")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EACCES, "writing is not permitted there"),
        (errno.EROFS, "the disk is read-only"),
        (errno.EIO, "choose another folder"),
    ],
)
def test_failed_write_keeps_the_old_file(code, cure, target):
    """A full disk halfway through is one clear error; the old file stays, no rest remains."""

    def write(path):
        path.write_bytes(b"half")
        raise OSError(code, os.strerror(code))

    with pytest.raises(OutputError, match=cure) as caught:
        atomic_write(target, write)
    assert "\n" not in str(caught.value)
    assert repr(str(target)) in str(caught.value)
    assert_untouched(target)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_failure_of_any_later_step_keeps_the_old_file(step, target, monkeypatch):
    """Flushing and renaming can fail too."""

    def fail(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(atomic_module.os, step, fail)
    with pytest.raises(OutputError, match="the disk is full"):
        write_bytes_atomic(target, b"new")
    assert_untouched(target)


def test_what_reads_back_differently_is_not_kept(target):
    """A disk that lies is found out before the old file is gone."""
    with pytest.raises(OutputError, match="read back differently"):
        atomic_write(target, lambda path: path.write_bytes(b"new") and None, verify=lambda _: False)
    assert_untouched(target)


def test_interruption_leaves_no_rest(target):
    """Ctrl+C passes through, and cleans up."""

    def write(path):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        atomic_write(target, write)
    assert_untouched(target)


def test_read_only_folder(tmp_path, monkeypatch):
    """A folder that takes no new file is named, with what to do."""

    def refuse(path, content):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "write_bytes", refuse)
    with pytest.raises(OutputError, match="Permission denied; writing is not permitted there"):
        write_bytes_atomic(tmp_path / "mask.nii.gz", b"new")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_really_read_only_folder(tmp_path):
    """The same with real permissions, where the tests do not run as root."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="writing is not permitted there"):
            write_bytes_atomic(tmp_path / "mask.nii.gz", b"new")
    finally:
        tmp_path.chmod(0o700)


def test_write_protected_file(target, monkeypatch):
    """A file that its owner protected is not replaced behind its back."""
    monkeypatch.setattr(atomic_module.os, "access", lambda path, mode: False)
    with pytest.raises(OutputError, match="is write-protected; choose another name"):
        write_bytes_atomic(target, b"new")
    assert_untouched(target)


def test_target_is_a_folder(tmp_path):
    """A folder is not a file name."""
    with pytest.raises(OutputError, match="is a folder; add a file name"):
        write_bytes_atomic(tmp_path, b"new")


def test_part_of_the_path_is_a_file(target):
    """A path through a file cannot be made."""
    with pytest.raises(OutputError, match="a part of the path is a file"):
        write_bytes_atomic(target / "mask.nii.gz", b"new")
    assert_untouched(target)


def test_links_are_written_through(target, tmp_path):
    """A link stays a link, and what it points at gets the new content."""
    link = tmp_path / "link.nii.gz"
    link.symlink_to(target)
    write_bytes_atomic(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX")
def test_permissions_of_the_old_file_stay(target):
    """A file shared with a group stays shared; a new one follows the umask."""
    target.chmod(0o664)
    write_bytes_atomic(target, b"new")
    assert target.stat().st_mode & 0o777 == 0o664


def test_json_round_trip(tmp_path):
    """Text of any script survives, and the file ends with a line break."""
    value = {"case": "Müller", "volumes_ml": {"WT": 84.25}, "scores": None}
    text = write_json_atomic(tmp_path / "result.json", value).read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert text.endswith("}\n")
    assert "Müller" in text


def test_json_has_no_nan(tmp_path):
    """Numbers that JSON does not have are refused before anything is written."""
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json_atomic(tmp_path / "result.json", float("nan"))
    assert os.listdir(tmp_path) == []


def test_names_that_are_no_utf8(tmp_path):
    """A file name of another encoding costs no result, and JSON reads it back."""
    name = os.fsdecode(b"pati\xe9nt")
    path = write_json_atomic(tmp_path / "result.json", {"case": name})
    assert json.loads(path.read_text(encoding="utf-8")) == {"case": name}


def test_a_disk_without_permissions_is_written_to(target, monkeypatch):
    """Where modes cannot be set, as on many shares and sticks, the file is saved all the same."""

    def refuse(*args):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(atomic_module.shutil, "copymode", refuse)
    write_bytes_atomic(target, b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize(
    ("failure", "seen"), [(OSError(28, "disk full"), OutputError), (ValueError(), ValueError)]
)
def test_a_folder_is_whole_or_not_there(failure, seen, tmp_path):
    """Whatever happens between the first file and the last."""

    def fill():
        with new_folder(tmp_path / "half") as place:
            (place / "a").write_bytes(b"1")
            raise failure

    with pytest.raises(seen):
        fill()
    assert list(tmp_path.iterdir()) == []
