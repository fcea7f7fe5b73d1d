"""Put what a benchmark measured, and where, into a page of the documentation."""

import importlib.metadata
import os
import platform
import re
from importlib.util import find_spec
from pathlib import Path

import psutil

_NUMBERS = ("amx_bf16", "avx512_bf16", "avx512f", "avx2", "asimd", "bf16")


def machine() -> str:
    """Return one line about this machine and the versions that were measured."""
    cpu, flags = platform.processor() or platform.machine(), set[str]()
    described = Path("/proc/cpuinfo")
    if described.exists():
        text = described.read_text()
        cpu = next(iter(re.findall(r"model name\s*: (.+)", text)), cpu)
        flags = {word for line in re.findall(r"(?:flags|Features)\s*: (.+)", text)
                 for word in line.split()}  # fmt: skip
    known = [name for name in _NUMBERS if name in flags]
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(
        f"{name} {importlib.metadata.version(name)}"
        for name in ("napari-brats", "torch", "openvino")
        if find_spec(name.replace("-", "_"))
    )
    return (
        f"{os.cpu_count()} cores of {cpu} ({', '.join(known) or 'instructions unknown'}), "
        f"{memory:.0f} GiB, {platform.system()} {platform.machine()}; {versions}; "
        f"load {os.getloadavg()[0]:.1f} at the end"
    )


def write_block(page: Path, name: str, text: str) -> None:
    """Replace what stands between ``<!-- measured: NAME -->`` and ``<!-- end -->``.

    Raises
    ------
    ValueError
        If the page has no such place.
    """
    pattern = re.compile(rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
    old = page.read_text(encoding="utf-8")
    if not pattern.search(old):
        raise ValueError(f"{page} has no block '<!-- measured: {name} -->' ... '<!-- end -->'")
    page.write_text(pattern.sub(lambda found: found[1] + text + "\n" + found[2], old), "utf-8")
