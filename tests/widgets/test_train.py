import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from napari_brats.cli.train import add_arguments, config_of
from napari_brats.training.config import TrainConfig
from napari_brats.training.settings import config_of_preset

pytestmark = pytest.mark.gui


@pytest.fixture
def widget(qtbot):
    from napari_brats.widgets.train import TrainWidget

    train = TrainWidget()
    qtbot.addWidget(train)
    yield train
    train.process.stop()
    assert train.process.wait(30)


def speaking(*lines, code=0):
    """Return a program that prints lines and ends when its stdin does."""
    text = "\n".join(json.dumps(line) for line in lines)
    program = f"import sys; print({text!r}, flush=True); sys.stdin.read(); sys.exit({code})"
    return [sys.executable, "-c", program]


def config_from(widget):
    import argparse

    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return config_of(parser.parse_args(widget.form.flags()))


def test_the_untouched_form_is_the_default(widget):
    """What nobody changed is not said, and so is the command line's default."""
    assert widget.form.flags() == []
    assert config_from(widget) == TrainConfig()


def test_what_is_changed_reaches_the_training(widget, tmp_path):
    """Folders, numbers, switches and triples of the form become the same settings."""
    form = widget.form
    form["data"].value, form["output"].value = tmp_path, tmp_path / "run"
    form["model"].value, form["minutes"].value = "unet3d", 1.5
    form["crop"].value, form["fuse"].value = (32, 32, 16), False
    form["learning_rate"].value, form["holdout"].value = 5e-4, 0
    assert config_from(widget) == TrainConfig(
        data=(tmp_path,), output=tmp_path / "run", model="unet3d", minutes=1.5,
        crop=(32, 32, 16), fuse=False, learning_rate=5e-4, holdout=0,
    )  # fmt: skip


def test_folders_as_people_type_them(widget, tmp_path, monkeypatch):
    """An emptied folder is the default's, not one of the name "None"; ~ is the home."""
    monkeypatch.setenv("HOME", str(tmp_path))
    form = widget.form
    form["output"].value = None
    assert form.flags() == []
    form["output"].line_edit.value, form["data"].line_edit.value = "~/run", "~/patients"
    assert config_from(widget) == TrainConfig(
        data=(tmp_path / "patients",), output=tmp_path / "run"
    )
    assert form.output() == tmp_path / "run"


def test_the_curves_follow_the_theme(widget):
    """Drawn in the colors of one theme, they take those of the next."""
    for color in ("#202020", "#e0e0e0"):
        widget.setStyleSheet(f"QWidget {{ background-color: {color}; }}")
        widget.curves.add({"step": 1, "loss": 0.7, "holdout_dice": None})
    widget.setStyleSheet("QWidget { background-color: #202020; }")
    assert widget.curves.figure.get_facecolor()[:3] == pytest.approx((32 / 255,) * 3)


def test_the_form_shows_the_presets_numbers(widget):
    """What is shown is what is trained with; what a person changed stays, also to a default."""
    form = widget.form
    form["holdout"].value = 0
    form["preset"].value, form["model"].value = "seed", "kermi2018"
    assert form["crop"].value == (128, 128, 1)
    assert form["learning_rate"].value == 0.08
    seed = config_of_preset("seed", "kermi2018", holdout=0)
    assert config_from(widget) == seed
    form["steps"].value = TrainConfig.steps
    assert config_from(widget) == replace(seed, steps=TrainConfig.steps)
    form["steps"].value, form["preset"].value = 0, "ours"
    assert form.flags() == ["--model", "kermi2018", "--holdout", "0"]


def test_a_training_is_followed_and_stopped(widget, qtbot):
    """Progress moves bar, words and curves; Stop ends it and says how to go on."""
    progress = {
        "step": 50, "seconds": 60.0, "fraction": 0.25, "loss": 0.7, "learning_rate": 1e-3,
        "waiting": 0.4, "holdout_dice": [0.8, 0.7, 0.6],
    }  # fmt: skip
    widget.process.run(speaking({"notice": "begins"}, {"progress": progress}))
    qtbot.waitUntil(lambda: widget.bar.value() == 250, timeout=20_000)
    assert "step 50, loss 0.700, 3 min left; waits 40%" in widget.words.text()
    loss, dice = widget.curves.figure.axes
    assert loss.lines[0].get_ydata().tolist() == [0.7]
    assert [line.get_ydata()[0] for line in dice.lines] == [0.8, 0.7, 0.6]
    widget.process.run(speaking())  # a second start while it runs does nothing
    widget.stop.setEnabled(True)
    widget.stop.click()
    qtbot.waitUntil(lambda: not widget.process.running(), timeout=20_000)
    assert widget.start.isEnabled()
    assert not widget.stop.isEnabled()


def test_the_end_names_the_weights(widget, qtbot):
    """The last line of the program tells where the weights are."""
    with qtbot.waitSignal(widget.process.ended, timeout=20_000):
        widget.process.run(speaking({"weights": "/run/net.safetensors", "stopped": True}))
        widget.process.stop()
    assert widget.words.text() == "stopped; Resume goes on. Weights: /run/net.safetensors"


def test_a_training_outlives_its_dock(qtbot, tmp_path):
    """The dock is closed for good while it runs: it is asked to end and writes its state."""
    from napari_brats.widgets.train import TrainWidget

    began, state = tmp_path / "began", tmp_path / "state"
    program = (
        f"import pathlib, sys, time; pathlib.Path({str(began)!r}).touch(); sys.stdin.read(); "
        f"time.sleep(0.2); pathlib.Path({str(state)!r}).touch()"
    )
    train = TrainWidget()
    train.process.run([sys.executable, "-c", program])
    qtbot.waitUntil(began.exists, timeout=20_000)
    train.deleteLater()
    qtbot.waitUntil(state.exists, timeout=20_000)


@pytest.mark.slow
def test_a_closed_dock_ends_the_training(make_napari_viewer, qtbot, tmp_path):
    """The dock's x does, at once, whoever still holds the widget; hiding the dock does not."""
    from napari_brats.widgets.train import TrainWidget

    began = tmp_path / "began"
    program = f"import pathlib, sys; pathlib.Path({str(began)!r}).touch(); sys.stdin.read()"
    viewer, train = make_napari_viewer(show=True), TrainWidget()
    dock = viewer.window.add_dock_widget(train, name="Train")
    train.process.run([sys.executable, "-c", program])
    qtbot.waitUntil(began.exists, timeout=20_000)
    dock.close()
    assert not train.process.wait(0.5)
    dock.destroyOnClose()
    qtbot.waitUntil(lambda: not train.process.running(), timeout=20_000)


@pytest.mark.slow
def test_a_mistake_is_one_line(widget, qtbot, tmp_path):
    """What the command line would say is what the widget says; the form is free again."""
    widget.form["output"].value = tmp_path / "run"
    widget.start.click()
    qtbot.waitUntil(lambda: not widget.process.running(), timeout=60_000)
    assert "nothing to train on; give --data" in widget.words.text()
    assert widget.form.first.enabled


def test_resume_needs_a_state(widget, tmp_path):
    """The button is there only where a training can go on."""
    widget.form["output"].value = tmp_path
    assert not widget.resume.isEnabled()
    (tmp_path / "last.ckpt").touch()
    widget.form["output"].value = Path()
    widget.form["output"].value = tmp_path
    assert widget.resume.isEnabled()


@pytest.mark.slow
def test_a_real_training_stops_and_resumes(widget, qtbot, tmp_path, make_patient_folder):
    """From the form to weights: started, stopped after a step, resumed to the end."""
    from napari_brats.networks.checkpoint import load_checkpoint

    form = widget.form
    form["data"].value = make_patient_folder(tmp_path, shape=(34, 36, 32))
    form["output"].value = tmp_path / "run"
    form["steps"].value, form["holdout"].value = 100, 0
    form["crop"].value, form["workers"].value = (16, 16, 16), 0
    form["fuse"].value, form["device"].value = False, "cpu"
    # oneDNN's bfloat16 gradients are not finite now and then where a volume is one voxel wide.
    form["mixed_precision"].value = False
    widget.start.click()
    qtbot.waitUntil(lambda: widget.words.text().startswith("step"), timeout=120_000)
    with qtbot.waitSignal(widget.process.ended, timeout=60_000):
        widget.stop.click()
    assert widget.words.text().startswith("stopped")
    before = load_checkpoint(tmp_path / "run" / "dresunet3d-lite.safetensors")[1].training["steps"]
    assert 25 <= before < 100
    reasons = []
    widget.process.failed.connect(reasons.append)
    widget.resume.click()
    qtbot.waitUntil(lambda: not widget.process.running(), timeout=240_000)
    assert reasons == []
    card = load_checkpoint(tmp_path / "run" / "dresunet3d-lite.safetensors")[1]
    assert card.training["steps"] == 100
