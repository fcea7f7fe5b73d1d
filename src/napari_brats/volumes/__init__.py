"""Read and write volumes: NIfTI through nibabel's headers, MetaImage, whole or not at all.

`stream` checks bytes, `nifti` and `metaimage` know the formats, `volume` reads, `writing`
writes, `dicom` reads series and writes segmentations of them, `atomic` puts files in place,
`affines` measures voxels. Only this package touches nibabel, highdicom and pydicom.
"""

from napari_brats.volumes.affines import spacing_of, voxel_ml
from napari_brats.volumes.atomic import (
    atomic_write,
    new_folder,
    sha256_of,
    write_bytes_atomic,
    write_json_atomic,
    write_text_atomic,
)
from napari_brats.volumes.dicom import Segment, read_series, write_segmentation
from napari_brats.volumes.volume import (
    Volume,
    grid_difference,
    read_codes,
    read_volume,
    require_same_grid,
    says_orientation,
)
from napari_brats.volumes.writing import (
    recorded_convention,
    write_image,
    write_mask,
    write_probabilities,
)

__all__ = [
    "Segment",
    "Volume",
    "atomic_write",
    "grid_difference",
    "new_folder",
    "read_codes",
    "read_series",
    "read_volume",
    "recorded_convention",
    "require_same_grid",
    "says_orientation",
    "sha256_of",
    "spacing_of",
    "voxel_ml",
    "write_bytes_atomic",
    "write_image",
    "write_json_atomic",
    "write_mask",
    "write_probabilities",
    "write_segmentation",
    "write_text_atomic",
]
