"""The journal: whatever happens to the file, a whole beginning of the edits is had back."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_brats.editing.boxes import difference
from napari_brats.editing.journal import JournalWriter, read_journal
from napari_brats.editing.owner import Owner
from napari_brats.errors import JournalError

OWNER = Owner("elsewhere", 12, 34.5, "token")


def write(path, subject, states):
    """Write a journal that leads through the states; returns its size after each."""
    writer = JournalWriter(path, subject, states[0], OWNER)
    sizes = [path.stat().st_size]
    for old, new in pairwise(states):
        writer.append(difference(old, new))
        sizes.append(path.stat().st_size)
    return sizes


def random_states(base, seed, count):
    """Return masks, each one random box away from the one before."""
    rng = np.random.default_rng(seed)
    states = [base]
    for _ in range(count):
        mask = states[-1].copy()
        corners = [sorted(rng.integers(0, size + 1, 2)) for size in mask.shape]
        mask[tuple(slice(*pair) for pair in corners)] = rng.integers(0, 4)
        states.append(mask)
    return states


def test_no_edits(tmp_path, subject, base):
    """A journal without edits tells whose mask it is, and the mask."""
    write(tmp_path / "a", subject, [base])
    replay = read_journal(tmp_path / "a")
    assert (replay.subject, replay.owner, replay.edits) == (subject, OWNER, 0)
    assert not replay.changed
    np.testing.assert_array_equal(replay.voxels, base)


def test_by_hand(tmp_path, subject, base):
    """One voxel painted: the replay holds it and knows which mask it was painted on."""
    painted = base.copy()
    painted[0, 0, 0] = 3
    write(tmp_path / "a", subject, [base, painted])
    replay = read_journal(tmp_path / "a")
    assert replay.edits == 1
    assert replay.changed
    np.testing.assert_array_equal(replay.voxels, painted)
    assert replay.belongs_to(subject, base)
    assert not replay.belongs_to(subject, painted)
    shifted = (*subject.affine[:3], 1.0, *subject.affine[4:])
    assert not replay.belongs_to(replace(subject, affine=shifted), base)
    assert not replay.belongs_to(replace(subject, directions="IPR"), base)


def test_painted_and_painted_back(tmp_path, subject, base):
    """Edits that cancel out leave nothing to recover."""
    write(tmp_path / "a", subject, [base, 3 - base, base])
    assert not read_journal(tmp_path / "a").changed


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6), count=st.integers(0, 6), place=st.floats(0, 1), flip=st.booleans()
)
def test_a_torn_journal_gives_a_prefix(tmp_path, subject, base, seed, count, place, flip):
    """Cut anywhere, or one byte damaged: exactly the edits before that place are there."""
    path = tmp_path / "torn"
    path.unlink(missing_ok=True)
    states = random_states(base, seed, count)
    sizes = write(path, subject, states)
    raw = bytearray(path.read_bytes())
    cut = min(int(place * len(raw)), len(raw) - 1)
    if flip:
        raw[cut] ^= 0x55
    else:
        del raw[cut:]
    path.write_bytes(raw)
    whole = sum(size <= cut for size in sizes)
    if whole == 0:
        with pytest.raises(JournalError, match="no whole journal"):
            read_journal(path)
        return
    replay = read_journal(path)
    assert (replay.edits, replay.end) == (whole - 1, sizes[whole - 1])
    np.testing.assert_array_equal(replay.voxels, states[whole - 1])


def test_going_on_after_a_crash(tmp_path, subject, base):
    """Resuming cuts the torn record off; later edits follow the whole ones."""
    path, states = tmp_path / "a", random_states(base, 1, 3)
    sizes = write(path, subject, states)
    path.write_bytes(path.read_bytes()[: sizes[3] - 2])
    before = read_journal(path)
    writer = JournalWriter.resume(path, before, replace(OWNER, process=99))
    writer.append(difference(before.voxels, base))
    after = read_journal(path)
    assert (before.edits, after.edits, after.owner.process) == (2, 3, 99)
    np.testing.assert_array_equal(after.voxels, base)


def test_a_failed_write_is_no_tear(tmp_path, subject, base, monkeypatch):
    """A record that could not be flushed is replaced by the next one, not followed by it."""
    states = random_states(base, 2, 2)
    writer = JournalWriter(tmp_path / "a", subject, base, OWNER)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="No space"):
            writer.append(difference(base, states[1]))
    writer.append(difference(base, states[2]))
    np.testing.assert_array_equal(read_journal(tmp_path / "a").voxels, states[2])


@pytest.mark.parametrize("raw", [b"", b"hello", b"BraTS edit journal 1\n" + bytes(40)])
def test_what_is_no_journal(tmp_path, raw):
    """An empty, foreign or zero-filled file is refused in one line that names it."""
    (tmp_path / "a").write_bytes(raw)
    with pytest.raises(JournalError, match=r"'.*a' is no whole journal"):
        read_journal(tmp_path / "a")
    with pytest.raises(JournalError, match="cannot read"):
        read_journal(tmp_path / "missing")


def test_a_claim_of_endless_voxels_takes_no_memory(tmp_path, subject, base, monkeypatch):
    """A heading that says a huge shape is refused before anything is made of that size."""
    monkeypatch.setattr("napari_brats.editing.journal.json.dumps", lambda facts: HUGE)
    JournalWriter(tmp_path / "a", subject, base, OWNER)
    with pytest.raises(JournalError, match="claims a box"):
        read_journal(tmp_path / "a")


HUGE = '{"shape": [100000, 100000, 100000]}'
