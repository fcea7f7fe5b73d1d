"""Open BraTS patients: a folder, one of its files, or a mask saved beside them."""

from collections.abc import Callable, Sequence
from itertools import chain, islice
from pathlib import Path

from napari_brats.case import load_case
from napari_brats.errors import CaseError
from napari_brats.naming import find_patients, recognize, split_extension
from napari_brats.plugin.host import current_host
from napari_brats.plugin.layers import LayerData, case_layers, mask_layer
from napari_brats.plugin.masks import is_saved_mask, mask_title, read_mask, stamp_of

PathOrPaths = str | Sequence[str]
Reader = Callable[[PathOrPaths], list[LayerData]]

_LOOKED_AT = 20
_STORES = frozenset({".zarr", ".n5", ".ome", ".tif", ".h5"})


def get_reader(path: PathOrPaths) -> Reader | None:
    """Return the reader of a path that looks like a BraTS patient, else None.

    Parameters
    ----------
    path : str or sequence of str
        A folder, a file, or several files of one patient.

    Returns
    -------
    Reader or None
        For a folder of many patients the reader tells the person to choose one.
    """
    paths = [Path(one) for one in _as_list(path)]
    if not paths or any(one.suffix.lower() in _STORES for one in paths):
        return None
    if len(paths) == 1 and is_saved_mask(paths[0]):
        return read_saved_mask
    return read_patient if all(_looks_like_brats(one) for one in paths) else None


def read_patient(path: PathOrPaths) -> list[LayerData]:
    """Read one patient as four image layers and the reference.

    napari asks for all layers at once and in the window's thread, whether a person or a script
    asks: it must wait, or ``viewer.open`` would return to a script without its layers.

    Raises
    ------
    CaseError
        If the path holds several patients, or the patient's files cannot be used.
    """
    patients = {(files.folder, files.case_id): files for files in map(recognize, _as_list(path))}
    if len(patients) > 1:
        shown = ", ".join(repr(case_id) for _, case_id in list(patients)[:3])
        raise CaseError(
            f"files of {len(patients)} patients were opened as one ({shown}); "
            "open one patient at a time"
        )
    host = current_host()
    host.before_reading()
    case = load_case(next(iter(patients.values())))
    return case_layers(case, host.view_convention())


def read_saved_mask(path: PathOrPaths) -> list[LayerData]:
    """Read a mask that was saved beside its patient as one labels layer.

    Raises
    ------
    CaseError
        If the patient's images are not beside it, or do not fit.
    """
    mask = Path(_as_list(path)[0])
    owners = [
        files for files in find_patients(mask.parent) if mask.name.startswith(f"{files.case_id}_")
    ]
    if not owners:
        raise CaseError(
            f"no patient lies beside {str(mask)!r}; put the mask into its patient's folder"
        )
    case = load_case(max(owners, key=lambda owner: len(owner.case_id)))
    stamp = stamp_of(mask)
    tissues = read_mask(mask, case)
    title = mask_title(mask, case.case_id)
    convention = current_host().view_convention()
    return [mask_layer(case, tissues, title, convention, path=mask, stamp=stamp)]


def _looks_like_brats(path: Path) -> bool:
    """Return whether a patient is here or one folder below; a quick look at names only."""
    if path.is_file():
        return bool(find_patients(path))
    nearby = chain(path.glob("*"), path.glob("*/*"))
    volumes = (file for file in nearby if split_extension(file.name) and file.is_file())
    return any(find_patients(file) for file in islice(volumes, _LOOKED_AT))


def _as_list(path: PathOrPaths) -> list[str]:
    return [str(path)] if isinstance(path, (str, Path)) else [str(one) for one in path]
