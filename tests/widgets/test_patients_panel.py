"""The list of patients: each line is one patient, whatever they are called."""

from napari_brats.case import load_case
from napari_brats.editing.states import State
from napari_brats.naming import find_patients
from napari_brats.plugin.layers import case_layers
from napari_brats.plugin.tags import tag_of
from napari_brats.widgets.opening import PatientRow
from napari_brats.widgets.patients_panel import PatientsPanel


def test_patients_of_one_name(tmp_path, make_patient_folder, qtbot):
    """Two studies name a patient alike: what is saved and said of one is not shown of the other."""
    for study in ("a", "b"):
        make_patient_folder(tmp_path / study)
    rows = [PatientRow(files, segmented=False) for files in find_patients(tmp_path)]
    assert rows[0].files.case_id == rows[1].files.case_id
    panel = PatientsPanel()
    qtbot.addWidget(panel)
    panel.show_patients(rows)
    tag = tag_of(case_layers(load_case(rows[1].files))[0][1]["metadata"])
    panel.mark_segmented(tag)
    assert [panel.list.topLevelItem(line).text(2) for line in (0, 1)] == ["-", "segmented"]
    panel.mark_state(rows[0].image, State.DONE)
    assert [panel.list.topLevelItem(line).text(2) for line in (0, 1)] == ["done", "segmented"]
