"""Make the pictures of the pages from the bundled synthetic patients.

python docs/sample_pictures.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from napari_brats.samples import sample_folder
from napari_brats.workflows.figures import ANIMATIONS, FIGURES, Options, PatientFigure, save
from napari_brats.workflows.figures.animation import few_colors
from napari_brats.workflows.segment import segment
from napari_brats.workflows.subject import Subject

IMAGES = Path(__file__).parent / "images"
SHOWN = ("difference", "contours", "confusion")
WIDTH = 900


def main() -> None:
    """Segment the first sample, draw, and make the files small."""
    result = segment(sample_folder("brats2021"))
    subject = Subject(result.case, {result.model: result.segmentation.tissues})
    with TemporaryDirectory() as folder:
        for name in SHOWN:
            row = FIGURES[name]
            assert isinstance(row, PatientFigure)
            path = save(row.draw(subject, Options()), Path(folder) / f"{name}.png")
            with Image.open(path) as picture:
                size = (WIDTH, round(picture.height * WIDTH / picture.width))
                small = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
            flat = small.quantize(palette=few_colors(small), dither=Image.Dither.NONE)
            flat.save(IMAGES / f"{name}.png", optimize=True)
    rotation = ANIMATIONS["rotation"].draw(subject, Options())
    (IMAGES / "rotation.gif").write_bytes(rotation)


if __name__ == "__main__":
    main()
