"""Models are fetched on request only, pinned by SHA-256; an offline folder replaces the network."""

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from napari_brats.errors import CheckpointError
from napari_brats.networks import downloads
from napari_brats.networks.catalog import added_names
from napari_brats.networks.checkpoint import read_card
from napari_brats.networks.downloads import DOWNLOADS, Download, download_model

pytest.importorskip("pooch")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def _own_surroundings(tmp_path, monkeypatch):
    """An empty user's folder, and no proxy."""
    monkeypatch.setenv("NAPARI_BRATS_MODELS", str(tmp_path / "models"))
    for name in downloads._PROXIES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


@pytest.fixture
def url(saved):
    """Serve the folder of a good checkpoint on this machine."""
    handler = partial(Quiet, directory=str(saved.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/net"
        server.shutdown()
        thread.join()


@pytest.fixture
def publish(saved, monkeypatch):
    """Return a function that puts the checkpoint ``saved`` into the table, as ``far``."""

    def put(url, **changes):
        digests = {
            f"{part}_sha256": hashlib.sha256(saved.with_suffix(suffix).read_bytes()).hexdigest()
            for part, suffix in (("weights", ".safetensors"), ("card", ".json"))
        }
        row = Download("far", url, **{**digests, **changes})
        monkeypatch.setattr(downloads, "DOWNLOADS", {"far": row})

    return put


def refused(match):
    """Check that the download fails in one line and leaves no model."""
    with pytest.raises(CheckpointError, match=match) as caught:
        download_model("far")
    assert "\n" not in str(caught.value)
    assert added_names() == []


def test_every_row_has_a_checksum_and_a_free_name():
    """The table's rows are pinned; a row without is impossible."""
    for name, row in DOWNLOADS.items():
        assert name == row.name
        assert row.url.startswith("https://")
    for digest in ("", "0" * 63, "G" * 64, "md5:" + "0" * 32):
        with pytest.raises(ValueError, match="needs the SHA-256"):
            Download("far", "https://example.org/net", digest, "0" * 64)


def test_a_model_is_fetched_and_added(url, publish, saved):
    """Both files come, are checked and become a model; progress reaches the end."""
    publish(url)
    steps = []
    card = download_model("far", on_step=lambda *step: steps.append(step))
    assert added_names() == ["far"]
    assert card == read_card("far")
    assert card.sha256 == read_card(saved).sha256
    assert (saved.stat().st_size,) * 2 in steps
    with pytest.raises(CheckpointError, match="already"):
        download_model("far")


def test_another_file_than_the_published_is_refused(url, publish):
    """Whatever the server sends."""
    publish(url, card_sha256="0" * 64)
    refused("not the published file")


@pytest.mark.parametrize(
    ("variable", "address", "match"),
    [
        ("NO_PROXY", "*", "the server answers 404"),
        ("HTTP_PROXY", "http://user:secret@127.0.0.1:9", "proxy in HTTP_PROXY does not let it"),
    ],
)
def test_what_stands_in_the_way_is_explained(url, publish, monkeypatch, variable, address, match):
    """A missing file and a proxy that does not answer; its password is not shown."""
    publish(f"{url}-absent")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(variable, address)
    refused(f"{match}.*NAPARI_BRATS_OFFLINE")
    with pytest.raises(CheckpointError) as caught:
        download_model("far")
    assert "secret" not in str(caught.value)


def test_nobody_answers(publish):
    """No server at all."""
    publish("http://127.0.0.1:9/net")
    refused("the connection fails; .* HTTPS_PROXY")


def test_the_offline_folder_replaces_the_network(publish, saved, tmp_path, monkeypatch):
    """While it is set nothing is fetched: files come from there, with the same checks."""
    publish("http://127.0.0.1:9/net")
    monkeypatch.setenv("NAPARI_BRATS_OFFLINE", str(tmp_path / "stick"))
    refused("cannot read .*far.safetensors")
    (tmp_path / "stick").mkdir()
    for suffix in (".safetensors", ".json"):
        content = saved.with_suffix(suffix).read_bytes()
        (tmp_path / "stick" / f"far{suffix}").write_bytes(content)
    assert download_model("far").name == "far"
    (tmp_path / "stick" / "far.json").write_bytes(b"{}")
    with pytest.raises(CheckpointError, match="not the published file"):
        downloads.fetch(downloads.DOWNLOADS["far"], tmp_path)


def test_an_unknown_name_lists_the_published():
    """With an empty table there is nothing to choose."""
    with pytest.raises(CheckpointError, match="no published model 'far'; there are: none yet"):
        download_model("far")
