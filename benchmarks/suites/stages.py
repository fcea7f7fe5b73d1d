"""Start, loading, preprocessing, network, post-processing and scores."""

import subprocess
import sys
from typing import Any

import numpy as np

from napari_brats.case import Case, load_case
from napari_brats.inference import predict_logits
from napari_brats.inference.engines import installed_engines
from napari_brats.inference.postprocessing import (
    region_probabilities,
    tissues_from_probabilities,
)
from napari_brats.metrics.case_scores import score_case
from napari_brats.metrics.overlap import joint_counts
from napari_brats.metrics.tasks import TASKS
from napari_brats.networks.checkpoint import load_checkpoint
from napari_brats.networks.registry import DEFAULT_MODEL
from napari_brats.preprocessing.recipes import RECIPES, Prepared, prepare, recipe_named
from napari_brats.samples import SAMPLES, sample_folder

SAMPLE = next(iter(SAMPLES))


class Start:
    """A new process, with Python's own start."""

    def time_import(self) -> None:
        """Import the package."""
        subprocess.run([sys.executable, "-c", "import napari_brats"], check=True)

    def time_help(self) -> None:
        """Print the command's help."""
        command = [sys.executable, "-m", "napari_brats", "--help"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


class Loading:
    """Four modalities and the reference, with all checks."""

    def time_load_case(self) -> None:
        """Load the bundled patient."""
        load_case(sample_folder(SAMPLE))


class Preprocessing:
    """A recipe's way there and back."""

    params = tuple(name for name in RECIPES if name.startswith("brain-"))
    param_names = ("recipe",)

    def setup(self, recipe: str) -> None:
        """Load the patient and make probabilities to take back."""
        self.case = load_case(sample_folder(SAMPLE))
        self.prepared = _prepared(self.case, recipe)
        self.maps = np.random.default_rng(0).random((3, *self.prepared.volume.shape[1:]), "f4")

    def time_prepare(self, recipe: str) -> None:
        """From the patient's grid to the network's."""
        _prepared(self.case, recipe)

    def time_back(self, recipe: str) -> None:
        """Three probability maps to the patient's grid."""
        self.prepared.way.back(self.maps)


class Network:
    """The bundled default model, each engine and precision."""

    params = (("torch", "openvino"), ("float32", "bfloat16"))
    param_names = ("engine", "precision")

    def setup(self, engine: str, precision: str) -> None:
        """Prepare the patient and run once, so that conversions are done.

        Raises
        ------
        NotImplementedError
            If the engine is not installed, which asv takes for "not here".
        """
        if engine not in installed_engines("cpu"):
            raise NotImplementedError(engine)
        self.network, card = load_checkpoint(DEFAULT_MODEL)
        case = load_case(sample_folder(SAMPLE))
        self.volume = _prepared(case, card.recipe).volume
        self.time_logits(engine, precision)

    def time_logits(self, engine: str, precision: str) -> None:
        """Run a whole brain; PyTorch's engine is made each time, OpenVINO's is kept."""
        predict_logits(self.network, self.volume, engine=engine, precision=precision, device="cpu")

    def peakmem_logits(self, engine: str, precision: str) -> None:
        """Run it."""
        self.time_logits(engine, precision)


class Postprocessing:
    """From logits to tissues."""

    def setup(self) -> None:
        """Make logits of a full-size patient."""
        self.logits = np.random.default_rng(0).normal(size=(3, 240, 240, 155)).astype(np.float32)

    def time_tissues(self) -> None:
        """Probabilities, threshold, hierarchy."""
        tissues_from_probabilities(region_probabilities(self.logits, "regions"))


class Scores:
    """The bundled patient's reference against itself, shifted by two voxels."""

    def setup(self) -> None:
        """Load the reference."""
        self.case = load_case(sample_folder(SAMPLE))
        self.mask: Any = np.roll(self.case.reference, 2, axis=0)

    def time_joint_counts(self) -> None:
        """Count in full, as the live table does once."""
        joint_counts(self.mask, self.case.reference)

    def time_all(self) -> None:
        """Every region and generation."""
        score_case(self.mask, self.case.reference, self.case.spacing_mm, TASKS["GLI"])


def _prepared(case: Case, recipe: str) -> Prepared:
    return prepare(recipe_named(recipe), case.images, case.affine)
