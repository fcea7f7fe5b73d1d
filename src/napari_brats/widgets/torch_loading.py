"""Load torch's largest library without freezing the window.

Python holds its interpreter lock while an extension is linked, 0.19 s for torch (measured), and
nothing else runs meanwhile. A foreign call to the system's linker lets go of the lock; the
import that follows finds the library in place (0.05 s).
"""

import ctypes
import os
import sys
from importlib.util import find_spec
from pathlib import Path

_LIBRARIES = {
    "libtorch_global_deps.so": os.RTLD_NOW | os.RTLD_GLOBAL if sys.platform == "linux" else 0,
    "libtorch_cpu.so": os.RTLD_NOW if sys.platform == "linux" else 0,
}


def link_torch() -> bool:
    """Link torch's libraries ahead of its import; call it in a thread.

    Returns
    -------
    bool
        Whether they are linked now. If not, the import does it and says what is wrong.
    """
    spec = find_spec("torch")
    if "torch" in sys.modules or sys.platform != "linux" or spec is None or spec.origin is None:
        return "torch" in sys.modules
    system = ctypes.CDLL(None)
    system.dlopen.restype = ctypes.c_void_p
    system.dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    folder = Path(spec.origin).parent / "lib"
    return all(
        system.dlopen(os.fsencode(folder / name), flags) for name, flags in _LIBRARIES.items()
    )
