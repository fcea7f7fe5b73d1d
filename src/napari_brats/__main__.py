"""``python -m napari_brats`` is the command ``napari-brats``."""

from napari_brats.cli import run

if __name__ == "__main__":
    run()
