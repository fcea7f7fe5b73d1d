"""Find out whether a napari window can open here, and if not, why."""

import os
import subprocess
import sys
from importlib.util import find_spec

_INSTALL = 'pip install "napari-brats[all]"'
_HEADLESS_PLATFORMS = ("offscreen", "minimal", "vnc")

# Qt aborts the whole process where it finds no display or no usable driver, so another
# process tries first. It also keeps this module free of Qt.
_PROBE = """
from qtpy.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext
application = QGuiApplication([])
surface = QOffscreenSurface()
surface.create()
context = QOpenGLContext()
if not context.create() or not context.makeCurrent(surface):
    raise SystemExit("no context")
format = context.format()
print(f"{format.majorVersion()}.{format.minorVersion()}")
context.doneCurrent()
"""
_PATIENCE_S = 60.0


def why_no_window() -> str | None:
    """Say why no napari window can open here.

    Returns
    -------
    str or None
        One clause such as ``"there is no display"``, or None where a window can open.
    """
    return _missing_display() or _missing_package() or opengl_version()[1]


def opengl_version() -> tuple[str | None, str | None]:
    """Start OpenGL through Qt in a process of its own.

    Returns
    -------
    tuple
        (version, None) or (None, why it does not start).
    """
    try:
        probe = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE],
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None, "the graphics driver does not answer"
    if probe.returncode == 0:
        return probe.stdout.strip(), None
    lines = [line.strip() for line in probe.stderr.splitlines() if line.strip()]
    return None, f"OpenGL does not start here ({lines[0] if lines else 'Qt aborted'})"


def _missing_display() -> str | None:
    platform = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if platform in _HEADLESS_PLATFORMS:
        return f"Qt is told to draw nothing (QT_QPA_PLATFORM={platform})"
    on_linux = sys.platform.startswith("linux")
    if on_linux and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return "there is no display"
    return None


def _missing_package() -> str | None:
    if find_spec("napari") is None:
        return f"napari is not installed ({_INSTALL})"
    if find_spec("qtpy") is None or not qt_bindings():
        return f"no Qt is installed ({_INSTALL})"
    return None


def qt_bindings() -> list[str]:
    """Return the installed Qt bindings that napari can use, without importing them."""
    return [name for name in ("PyQt6", "PySide6") if find_spec(name) is not None]
