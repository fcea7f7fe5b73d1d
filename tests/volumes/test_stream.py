"""Bytes are believed only when length and checksum are right."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_brats.errors import CaseError
from napari_brats.volumes.stream import read_checked, read_start

CONTENT = bytes(range(256)) * 40


def needing(size):
    return lambda start: size


@pytest.fixture
def file(tmp_path):
    return tmp_path / "x.nii.gz"


@pytest.mark.parametrize("compress", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_whole_file(file, compress):
    """Compression is told by the first bytes; the header's reader sees the first 1024."""
    seen = []
    file.write_bytes(compress(CONTENT))
    assert read_checked(file, lambda start: seen.append(start) or len(CONTENT)) == CONTENT
    assert seen == [CONTENT[:1024]]
    assert read_start(file) == CONTENT[:1024]


def test_several_gzip_members_are_one_stream(file):
    """Files written in blocks (as bgzip does) are read to the end."""
    file.write_bytes(gzip.compress(CONTENT[:2000]) + gzip.compress(CONTENT[2000:]))
    assert read_checked(file, needing(len(CONTENT))) == CONTENT


def test_bytes_after_the_volume_are_checked_and_dropped(file):
    """More bytes than the header claims are harmless, if their checksum is right."""
    file.write_bytes(gzip.compress(CONTENT))
    assert len(read_checked(file, needing(5000))) >= 5000
    file.write_bytes(gzip.compress(CONTENT)[:-8] + b"\0" * 8)
    with pytest.raises(CaseError, match="is damaged"):
        read_checked(file, needing(5000))


def test_padding_after_the_stream_is_ignored(file):
    """Zeros after the last member (tape and block padding) are no damage."""
    file.write_bytes(gzip.compress(CONTENT) + b"\0" * 512)
    assert read_checked(file, needing(len(CONTENT))) == CONTENT


def test_claim_is_checked_before_anything_is_made(file):
    """A stream cannot hold more than deflate can make of it; the claim alone is refused."""
    file.write_bytes(gzip.compress(CONTENT))
    with pytest.raises(CaseError, match=r"claims 65536000000352 bytes .* holds"):
        read_checked(file, needing(2 * 32000**3 + 352))


@pytest.mark.parametrize("compress", [gzip.compress, bytes], ids=["gzip", "plain"])
def test_less_than_claimed(file, compress):
    """A file that is whole but too short for its header is refused."""
    file.write_bytes(compress(CONTENT))
    with pytest.raises(CaseError, match=f"claims {len(CONTENT) + 1} bytes .* {len(CONTENT)} at"):
        read_checked(file, needing(len(CONTENT) + 1))


@pytest.mark.parametrize("kept", [1, 2, 5, 11, 100, 300])
def test_cut_off_stream(file, kept):
    """A stream that ends early is refused, wherever it was cut."""
    whole = gzip.compress(CONTENT)
    file.write_bytes(whole[:-kept] if kept < len(whole) else whole[:20])
    with pytest.raises(CaseError, match=r"ends early|is damaged"):
        read_checked(file, needing(len(CONTENT)))


@settings(max_examples=60)
@given(st.data())
def test_any_flipped_bit_of_the_stream_is_found(tmp_path_factory, data):
    """CRC and length catch one flipped bit anywhere after the gzip header."""
    whole = bytearray(gzip.compress(CONTENT + data.draw(st.binary(max_size=300)), mtime=0))
    size = int.from_bytes(whole[-4:], "little")
    at = data.draw(st.integers(10, len(whole) - 1))
    whole[at] ^= 1 << data.draw(st.integers(0, 7))
    file = tmp_path_factory.mktemp("flipped") / "x.nii.gz"
    file.write_bytes(whole)
    with pytest.raises(CaseError, match=r"ends early|is damaged|claims"):
        read_checked(file, needing(size))


def test_empty_and_missing_files(file):
    """Both are named."""
    with pytest.raises(CaseError, match=r"x.nii.gz' cannot be read: No such file"):
        read_checked(file, needing(1))
    with pytest.raises(CaseError, match=r"x.nii.gz' cannot be read"):
        read_start(file)
    file.write_bytes(b"")
    with pytest.raises(CaseError, match=r"x.nii.gz' is empty"):
        read_checked(file, needing(1))
