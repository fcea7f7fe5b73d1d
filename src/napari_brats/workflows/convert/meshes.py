"""Surfaces of a mask's regions as STL, OBJ or PLY, in patient millimeters.

The formats have no field for the axes; the first line says ``SPACE=RAS`` or ``SPACE=LPS``,
which 3D Slicer reads.
"""

from pathlib import Path

import numpy as np

from napari_brats.errors import CaseError, OutputError
from napari_brats.regions import REGIONS, region_mask
from napari_brats.volumes import write_bytes_atomic
from napari_brats.workflows.convert.job import FRAMES, MESH_FORMATS, Job, read_mask_file, stem_of
from napari_brats.workflows.outputs import check_folder
from napari_brats.workflows.surfaces import Surface, surface_of

_STL_HEADER = 80
_STL_RECORD = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
_PLY_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])


def to_meshes(job: Job) -> list[Path]:
    """Write one file for each of WT, TC and ET that is not empty; the output is a folder."""
    tissues, affine, _ = read_mask_file(job.source, job.labels)
    masks = {name: region_mask(tissues, name) for name in REGIONS}
    filled = {name: mask for name, mask in masks.items() if mask.any()}
    if not filled:
        raise CaseError(f"{str(job.source)!r} holds no tumor; there is no surface to write")
    for name in masks.keys() - filled.keys():
        job.on_notice(f"{name} is empty and gets no file")
    folder = job.output or job.source.parent
    if folder.suffix.lower().removeprefix(".") in MESH_FORMATS:
        raise OutputError(
            f"{str(folder)!r} is named like a file, but each region gets one of its own; give a "
            "folder with --output"
        )
    check_folder(folder, "--output")
    stem = stem_of(job.source)
    written = []
    for name, mask in filled.items():
        surface = surface_of(mask, affine)
        turned = Surface(surface.vertices * np.array(FRAMES[job.frame], np.float32), surface.faces)
        content = encode_mesh(turned, job.mesh, f"napari-brats {name}, mm, SPACE={job.frame}")
        written.append(write_bytes_atomic(folder / f"{stem}_{name}.{job.mesh}", content))
    return written


def encode_mesh(surface: Surface, kind: str, note: str) -> bytes:
    """Return a surface as a file.

    Parameters
    ----------
    surface : Surface
        In the frame that the note says.
    kind : str
        ``"stl"`` (binary), ``"obj"`` or ``"ply"`` (binary).
    note : str
        One line for the header.
    """
    return {"stl": _stl, "obj": _obj, "ply": _ply}[kind](surface, note)


def _stl(surface: Surface, note: str) -> bytes:
    corners = surface.vertices[surface.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    records = np.zeros(len(corners), _STL_RECORD)
    records["normal"] = normals / np.maximum(lengths, np.finfo(np.float32).tiny)
    records["corners"] = corners
    header = note.encode()[:_STL_HEADER].ljust(_STL_HEADER, b" ")
    return header + np.uint32(len(records)).tobytes() + records.tobytes()


def _obj(surface: Surface, note: str) -> bytes:
    lines = [f"# {note}"]
    lines += [f"v {x:.6g} {y:.6g} {z:.6g}" for x, y, z in surface.vertices.tolist()]
    lines += [f"f {a} {b} {c}" for a, b, c in (surface.faces + 1).tolist()]
    return ("\n".join(lines) + "\n").encode()


def _ply(surface: Surface, note: str) -> bytes:
    header = (
        "ply\nformat binary_little_endian 1.0\n"
        f"comment {note}\n"
        f"element vertex {len(surface.vertices)}\n"
        "property float x\nproperty float y\nproperty float z\n"
        f"element face {len(surface.faces)}\n"
        "property list uchar int vertex_indices\nend_header\n"
    )
    faces = np.zeros(len(surface.faces), _PLY_FACE)
    faces["count"], faces["corners"] = 3, surface.faces
    return header.encode() + surface.vertices.astype("<f4").tobytes() + faces.tobytes()
