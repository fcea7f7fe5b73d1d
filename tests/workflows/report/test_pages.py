"""Reports as files: what stands in them, and how they look in a browser."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from napari_brats.cli import main
from napari_brats.editing.boxes import difference
from napari_brats.editing.journal import JournalWriter, Subject
from napari_brats.editing.owner import Owner
from napari_brats.networks.checkpoint import read_card
from napari_brats.volumes import write_probabilities
from napari_brats.workflows.cohort.layout import Layout
from napari_brats.workflows.cohort.row import Row, State
from napari_brats.workflows.report.origin import card_facts, cards_of, run_facts
from napari_brats.workflows.report.run import report_run

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]
CASE = "BraTS2021_00005"


@pytest.fixture
def patient(tmp_path: Path, make_patient_folder: MakePatient) -> Path:
    """Return a patient with a saved mask that differs from the reference."""
    folder = make_patient_folder(tmp_path)
    reference = nib.load(folder / f"{CASE}_seg.nii.gz")
    codes = np.asarray(reference.dataobj).copy()
    codes[codes == 1] = 2
    nib.save(nib.Nifti1Image(codes, reference.affine), folder / f"{CASE}_net_mask.nii.gz")
    return folder


def text_of(page: Path) -> str:
    """Return a page's words without tags."""
    html = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page.read_text("utf-8"), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html)


def leave_a_journal(folder: Path) -> None:
    """Write a journal of one edit, as a crashed window leaves it."""
    voxels = np.zeros((18, 22, 20), np.uint8)
    image = folder / f"{CASE}_t1.nii.gz"
    subject = Subject(CASE, "by hand", str(image), "", "IPL", tuple(np.eye(4).ravel().tolist()))
    owner = Owner("elsewhere", 1, 0.0)
    writer = JournalWriter(folder / f".{CASE}-abc.journal", subject, voxels, owner)
    after = voxels.copy()
    after[4, 4, 4:9] = 3
    writer.append(difference(voxels, after))


def test_everything_is_in_a_patients_report(patient: Path, tmp_path: Path) -> None:
    """Volumes, scores with rules, uncertainty, changes, edits, hashes; no folder's name."""
    mask, reference = patient / f"{CASE}_net_mask.nii.gz", patient / f"{CASE}_seg.nii.gz"
    leave_a_journal(patient)
    affine = nib.load(mask).affine
    write_probabilities(tmp_path / "p.nii.gz", np.full((3, 20, 22, 18), 0.5), affine)
    run = {
        "case": CASE,
        "model": "net",
        "weights_sha256": {"net": "ab12"},
        "seconds": {"total": 1.5},
    }
    (tmp_path / "run.json").write_text(json.dumps(run))
    output = tmp_path / "out" / "report.html"
    options = ["--probabilities", str(tmp_path / "p.nii.gz"), "--before", str(reference)]
    options += ["--run", str(tmp_path / "run.json"), "--output", str(output)]
    assert main(["report", str(patient), *options]) == 0
    text = text_of(output)
    for words in (
        "Research use only",
        "The mask shows a tumor of 0.1 ml",
        "BraTS 2023 lesion-wise (GLI)",
        "halfway between the left and right edge of the head",
        "necrosis edema 0.03 0.03 ml in all",
        "1 edit of the mask by hand",
        "0.0 ml enhancing tumor",
        "net: ab12",
        "1.5 s",
        "No model of the name net is installed",
        "probabilities are not calibrated",
    ):
        assert words in text, words
    assert str(tmp_path) not in output.read_text("utf-8")
    assert [path.name for path in output.parent.iterdir()] == ["report.html"]


def test_the_least_there_can_be(
    tmp_path: Path, make_patient_folder: MakePatient, capsys: Captured
) -> None:
    """One modality, an empty mask, no reference: said in words, with warnings."""
    folder = make_patient_folder(tmp_path, reference=False, modalities=("flair",))
    image = nib.load(folder / f"{CASE}_flair.nii.gz")
    empty = nib.Nifti1Image(np.zeros(image.shape, np.uint8), image.affine)
    nib.save(empty, folder / f"{CASE}_a<b>&_mask.nii.gz")
    assert main(["report", str(folder), "--json"]) == 0
    page = Path(json.loads(capsys.readouterr().out)["output"])
    text = text_of(page)
    assert "The mask holds no tumor." in text
    assert "no proof that there is no tumor" in text
    assert "Missing: t1, t1ce, t2." in text
    assert "There is no reference mask to compare with." in text
    assert "a<b>" not in page.read_text("utf-8")


def test_the_models_of_a_name_are_told() -> None:
    """One or several joined by a plus, mirrored or not; nothing if one is not installed."""
    (card,) = cards_of("dresunet3d-lite", {})
    assert card.name == "dresunet3d-lite"
    assert ("SHA-256", card.sha256) in card_facts(card)
    assert cards_of("dresunet3d-lite-mirrored", {}) == [card]
    assert cards_of("dresunet3d-lite+stranger", {}) == []
    assert cards_of("by hand", {}) == []


def test_weights_of_one_name_are_told_apart(tmp_path: Path) -> None:
    """A mask by one's own weights is not said to come from the bundled ones of that name."""
    bundled = read_card("dresunet3d")
    for sha256, expected in ((bundled.sha256, [bundled]), ("0" * 64, [])):
        said = {"case": "a", "weights_sha256": {bundled.name: sha256}}
        (tmp_path / "run.json").write_text(json.dumps(said))
        assert cards_of(bundled.name, run_facts(tmp_path / "run.json", "a")) == expected


def test_a_cohort_report(patient: Path, tmp_path: Path, capsys: Captured) -> None:
    """Summary, worst cases, what is undefined, each rule, beside the table."""
    table = tmp_path / "net.csv"
    mask = str(patient / f"{CASE}_net_mask.nii.gz")
    assert main(["evaluate", mask, str(patient), "--csv", str(table)]) == 0
    rows = table.read_text().splitlines()
    cut = [",".join(["<i>case</i>", *row.split(",")[1:8], "", *row.split(",")[9:]]) for row in rows]
    table.write_text("\n".join([*rows, *cut[1:]]) + "\n")
    assert main(["report", str(table)]) == 0
    page = tmp_path / "net_report.html"
    assert str(page) in capsys.readouterr().out
    text = text_of(page)
    assert "2 cases, from the table net.csv." in text
    assert "&lt;i&gt;case&lt;/i&gt;: WT" in text
    assert "2 #(P and R) / (#P + #R)" in text


def test_a_cohort_report_without_distances(tmp_path: Path) -> None:
    """What a table of somebody else's does not have is not called an empty region."""
    table = tmp_path / "theirs.csv"
    table.write_text("case,region,dice\na,WT,0.9\na,ET,0.5\nb,WT,0\nb,ET,0.7\n")
    assert main(["report", str(table)]) == 0
    text = text_of(tmp_path / "theirs_report.html")
    assert "2 cases, from the table theirs.csv." in text
    assert "these have no distance" not in text


def test_the_page_of_a_run_hides_no_model_that_missed_everything(tmp_path: Path) -> None:
    """A Dice of 0 is a score."""
    rows = [Row("a", "net", State.DONE, dice={"WT": 0.0, "TC": 0.0, "ET": 0.0})]
    text = text_of(report_run(Layout(tmp_path), rows))
    assert "Dice where there is a reference" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--output", "{folder}/report.pdf"], "no name of a .html file"),
        (["--mask", "a", "--mask", "b"], "about one mask"),
        (["--run", "{folder}/none.json"], "cannot read"),
        (["--probabilities", "{folder}/BraTS2021_00005_t1.nii.gz"], "4D was expected"),
    ],
)
def test_mistakes_are_one_line(
    options: list[str], message: str, patient: Path, capsys: Captured
) -> None:
    """And nothing is written."""
    before = set(patient.iterdir())
    assert main(["report", str(patient), *(one.format(folder=patient) for one in options)]) == 2
    assert message in capsys.readouterr().err
    assert set(patient.iterdir()) == before


CONTRAST = """
(() => {
  const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) =>
    0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (; element; element = element.parentElement) {
      const color = parse(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim()) continue;
    const pair = [light(parse(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    found.push([ratio, walk.currentNode.textContent.trim().slice(0, 40)]);
  }
  return found;
})()
"""


@pytest.fixture(scope="module")
def sample_reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return a report about the bundled patient, its reference as the mask, and a cohort's."""
    from napari_brats.samples import sample_folder

    folder = tmp_path_factory.mktemp("reports")
    sample = sample_folder("brats2021")
    mask = folder / f"{sample.name}_reader_mask.nii.gz"
    shutil.copy(sample / f"{sample.name}_seg.nii.gz", mask)
    patient, table = folder / "patient.html", folder / "cohort.csv"
    options = ["--mask", str(mask), "--before", str(mask), "--output", str(patient)]
    assert main(["report", str(sample), *options]) == 0
    assert main(["evaluate", str(mask), str(sample), "--csv", str(table)]) == 0
    assert main(["report", str(table)]) == 0
    return [patient, folder / "cohort_report.html"]


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1000])
def test_reports_in_a_browser(sample_reports: list[Path], browser: Any, width: int) -> None:
    """Renders all pictures, silent console, no request outside, no sideways scroll, WCAG AA."""
    for page in sample_reports:
        browser.open(page, width=width)
        assert browser.complaints == []
        assert browser.requests[0] == page.resolve().as_uri()
        assert all(address.startswith("data:image/png") for address in browser.requests[1:])
        shown = browser.evaluate("[...document.images].map(i => i.complete && i.naturalWidth > 0)")
        assert len(shown) == 3
        assert all(shown)
        assert browser.evaluate("document.documentElement.scrollWidth") <= width
        ratios = browser.evaluate(CONTRAST)
        assert len(ratios) > 50
        assert min(ratios)[0] >= 4.5, min(ratios)
        assert len(browser.evaluate("document.title")) > 3
        assert browser.evaluate("document.documentElement.lang") == "en"


@pytest.mark.slow
def test_reports_print(sample_reports: list[Path], browser: Any) -> None:
    """As a PDF of several pages."""
    browser.open(sample_reports[0])
    printed = browser.pdf()
    assert printed.startswith(b"%PDF")
    assert printed.count(b"/Type /Page\n") >= 2
