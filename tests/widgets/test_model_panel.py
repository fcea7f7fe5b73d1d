"""The model menu: networks first, then what the user added."""

from napari_brats.inference.costs import Run, remember
from napari_brats.networks.card import Card
from napari_brats.networks.catalog import ModelRow
from napari_brats.networks.registry import MODELS
from napari_brats.widgets import model_panel
from napari_brats.widgets.model_panel import ModelPanel


def test_an_added_model_can_be_chosen(qtbot, monkeypatch):
    """By its own name, also at the start; the network's name still means bundled weights."""
    bundled = Card("unet3d-lite", "unet3d", "lite", "brain-1mm", ("flair",), "regions")
    added = Card("ward-7", "unet3d", "lite", "brain-2mm", ("t1",), "regions", parameters=7)
    rows = [ModelRow(MODELS["unet3d"], bundled), ModelRow(MODELS["unet3d"], added, "ward-7")]
    monkeypatch.setattr(model_panel, "list_models", lambda: rows)
    panel = ModelPanel("ward-7", "auto")
    qtbot.addWidget(panel)
    assert panel.model() == "ward-7"
    assert "brain-2mm" in panel.card.text()
    for asked in ("unet3d", "unet3d-lite"):
        panel.choose("ward-7")
        panel.choose(asked)
        assert panel.model() == "unet3d"


def test_the_menu_is_up_to_date_when_it_opens(qtbot, monkeypatch):
    """A model added meanwhile appears, one removed goes, and the choice stays where it can."""
    card = Card("unet3d-lite", "unet3d", "lite", "brain-1mm", ("flair",), "regions")
    rows = [ModelRow(MODELS["unet3d"], card)]
    monkeypatch.setattr(model_panel, "list_models", lambda: list(rows))
    panel = ModelPanel("unet3d", "auto")
    qtbot.addWidget(panel)
    rows.append(ModelRow(MODELS["unet3d"], card, "ward-7"))
    panel.models.opening.emit()
    assert panel.models.count() == 2
    assert panel.model() == "unet3d"
    panel.choose("ward-7")
    rows.pop()
    panel.models.opening.emit()
    assert panel.models.count() == 1
    assert panel.model() == "unet3d"


def test_what_a_model_took_here_is_told_before_it_runs(qtbot, monkeypatch):
    """Mirrored runs apart; nothing is shown where nothing is known."""
    card = Card("unet3d-lite", "unet3d", "lite", "brain-1mm", ("flair",), "regions")
    monkeypatch.setattr(model_panel, "list_models", lambda: [ModelRow(MODELS["unet3d"], card)])
    panel = ModelPanel("unet3d", "auto")
    qtbot.addWidget(panel)
    assert panel.expected.isHidden()
    remember(Run("unet3d-lite", "torch", "CPU", False, 100, 0.5, 1.25, 10**8))
    panel.show_expected()
    assert panel.expected.text() == "Takes about 1.2 s, 0.1 GB; torch, CPU"
    panel.mirror.setChecked(True)
    assert panel.expected.isHidden()


def test_all_of_ours_is_offered_from_two_on(qtbot, monkeypatch):
    """Behind our models and before added ones; its card names every member."""

    def bundled(model):
        card = Card(f"{model}-lite", model, "lite", "brain-1mm", ("flair",), "regions")
        return ModelRow(MODELS[model], card)

    rows = [bundled("unet3d")]
    monkeypatch.setattr(model_panel, "list_models", lambda: list(rows))
    panel = ModelPanel("unet3d", "auto")
    qtbot.addWidget(panel)
    assert panel.models.findData("all") == -1
    rows += [bundled("kermi2018"), ModelRow(MODELS["unet3d"], rows[0].card, "ward-7")]
    panel.models.opening.emit()
    assert panel.models.findData("all") == 2
    assert panel.models.itemText(2) == "All of ours, averaged"
    panel.choose("all")
    assert (panel.model(), panel.title()) == ("all", "All of ours, averaged")
    assert "unet3d-lite" in panel.card.text()
    assert "kermi2018-lite" in panel.card.text()
    assert "ward-7" not in panel.card.text()
    rows.pop(0)
    panel.models.opening.emit()
    assert panel.model() == "kermi2018"


def test_the_card_tells_what_may_be_missing(qtbot, monkeypatch):
    """And what mirroring gives, where it was measured."""
    scores = {
        "mean": {"WT": 0.9}, "dataset": "three patients", "mirrored": {"mean": {"WT": 0.91}}
    }  # fmt: skip
    card = Card(
        "unet3d-lite", "unet3d", "lite", "brain-1mm", ("flair", "t1"), "regions",
        may_lack=("t1",), scores=scores,
    )  # fmt: skip
    monkeypatch.setattr(model_panel, "list_models", lambda: [ModelRow(MODELS["unet3d"], card)])
    panel = ModelPanel("unet3d", "auto")
    qtbot.addWidget(panel)
    assert "One of t1 may be missing" in panel.card.text()
    assert "Mean Dice: WT 0.900; Mirrored: WT 0.910; on three patients" in panel.card.text()
