"""Published models that can be fetched, on request only; nothing else here uses the network.

A row pins both files by SHA-256, so that where they come from need not be trusted. The folder
that `NAPARI_BRATS_OFFLINE` names stands in for the network: while it is set, files are taken
from there and nothing is fetched.
"""

import logging
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_brats.errors import CheckpointError
from napari_brats.networks.card import Card
from napari_brats.networks.installing import add_model, check_new_name

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PROXIES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
_CHUNK_BYTES = 2**18

OnStep = Callable[[int, int], None]


@dataclass(frozen=True)
class Download:
    """One published model.

    Parameters
    ----------
    name : str
        What finds it once it is added.
    url : str
        Of both files, without ``.safetensors`` and ``.json``.
    weights_sha256, card_sha256 : str
        64 hexadecimal digits each, in lower case.

    Raises
    ------
    ValueError
        If a SHA-256 is none: a file that nothing pins is never fetched.
    """

    name: str
    url: str
    weights_sha256: str
    card_sha256: str

    def __post_init__(self) -> None:
        for digest in (self.weights_sha256, self.card_sha256):
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"{self.name!r} needs the SHA-256 of both files, got {digest!r}")

    @property
    def digests(self) -> dict[str, str]:
        """The SHA-256 of each file, by suffix."""
        return {".safetensors": self.weights_sha256, ".json": self.card_sha256}


DOWNLOADS: Mapping[str, Download] = {}
"""By name; no server holds models of this project yet."""


def download_model(name: str, *, on_step: OnStep | None = None) -> Card:
    """Fetch a published model and add it to the user's folder.

    Parameters
    ----------
    name : str
        Key in `DOWNLOADS`.
    on_step : callable, optional
        Called as ``on_step(done, total)`` with bytes of the file at hand.

    Returns
    -------
    Card
        As installed.

    Raises
    ------
    CheckpointError
        If there is no such model, it is there already, it cannot be had, or what came is not
        what was published. Nothing is left then.
    """
    if name not in DOWNLOADS:
        choices = ", ".join(DOWNLOADS) or "none yet"
        raise CheckpointError(f"no published model {name!r}; there are: {choices}")
    check_new_name(name)
    with tempfile.TemporaryDirectory(prefix="napari-brats-") as folder:
        fetch(DOWNLOADS[name], Path(folder), on_step=on_step)
        return add_model(Path(folder) / f"{name}.safetensors", name)


def fetch(download: Download, folder: Path, *, on_step: OnStep | None = None) -> None:
    """Put a model's two files into a folder, each checked against its SHA-256.

    Parameters
    ----------
    download : Download
        What to fetch.
    folder : Path
        Where to put ``<name>.safetensors`` and ``<name>.json``.
    on_step : callable, optional
        As in `download_model`.

    Raises
    ------
    CheckpointError
        If a file cannot be had or has another SHA-256.
    """
    offline = os.environ.get("NAPARI_BRATS_OFFLINE")
    for suffix, digest in download.digests.items():
        target = folder / f"{download.name}{suffix}"
        if offline:
            _take(Path(offline) / target.name, target, digest)
        else:
            _retrieve(f"{download.url}{suffix}", target, digest, on_step)


def _take(source: Path, target: Path, digest: str) -> None:
    """Copy a file that somebody fetched elsewhere."""
    import hashlib

    try:
        content = source.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"cannot read {str(source)!r}: {error.strerror or error}; put the file there, or unset "
            "NAPARI_BRATS_OFFLINE to fetch it"
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise CheckpointError(
            f"{str(source)!r} is not the published file: its SHA-256 differs from "
            f"{digest[:12]}...; fetch it again"
        )
    target.write_bytes(content)


def _retrieve(url: str, target: Path, digest: str, on_step: OnStep | None) -> None:
    """Fetch one file."""
    try:
        import pooch
        import requests
    except ModuleNotFoundError as error:
        raise CheckpointError(
            f"fetching models needs the package {error.name!r}, which is not installed; "
            'run pip install "napari-brats[models]"'
        ) from error
    pooch.get_logger().setLevel(logging.ERROR)
    progress = _Progress(on_step) if on_step else False
    try:
        pooch.retrieve(
            url,
            known_hash=f"sha256:{digest}",
            fname=target.name,
            path=target.parent,
            downloader=pooch.HTTPDownloader(
                progress, chunk_size=_CHUNK_BYTES, timeout=60, hooks={"response": _close_refusal}
            ),
        )
    except requests.exceptions.ProxyError as error:
        raise _unreachable(url, f"the proxy in {_proxies()} does not let it through") from error
    except requests.exceptions.SSLError as error:
        why = "its certificate is not trusted; where a proxy reads along, name its certificate in "
        raise _unreachable(url, f"{why}REQUESTS_CA_BUNDLE") from error
    except requests.exceptions.HTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        raise _unreachable(url, f"the server answers {status}") from error
    except requests.exceptions.RequestException as error:
        why = "the connection fails; where the network needs a proxy, name it in HTTPS_PROXY"
        raise _unreachable(url, why) from error
    except ValueError as error:
        raise CheckpointError(
            f"what came from {url!r} is not the published file: its SHA-256 differs from "
            f"{digest[:12]}...; nothing was kept, try again or tell the publisher"
        ) from error
    except OSError as error:
        raise CheckpointError(
            f"cannot store {url!r}: {error.strerror or error}; make room in {str(target.parent)!r}"
        ) from error


def _close_refusal(response: Any, **_: object) -> None:
    """Close the connection of an answer without a file, which pooch would leave open."""
    if not response.ok:
        response.close()


def _unreachable(url: str, why: str) -> CheckpointError:
    return CheckpointError(
        f"cannot fetch {url!r}: {why}; or fetch the .safetensors and .json files elsewhere and "
        "name their folder in NAPARI_BRATS_OFFLINE"
    )


def _proxies() -> str:
    """Return the variables that name a proxy, never their values, which may hold passwords."""
    return ", ".join(name for name in _PROXIES if os.environ.get(name)) or "the system's settings"


class _Progress:
    """Passes on how many bytes came, in the form that pooch wants."""

    def __init__(self, on_step: OnStep) -> None:
        self.total = 0
        self._done = 0
        self._on_step = on_step

    def update(self, count: int) -> None:
        """Take the size of one more piece."""
        self._done += count
        self._on_step(min(self._done, self.total), self.total)

    def reset(self) -> None:
        """Begin anew; pooch does so to fill the bar at the end."""
        self._done = 0

    def close(self) -> None:
        """Nothing is held open."""
