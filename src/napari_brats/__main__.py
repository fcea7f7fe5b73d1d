"""``python -m napari_brats`` is the command ``napari-brats``."""

import sys

from napari_brats.cli import main

if __name__ == "__main__":
    sys.exit(main())
