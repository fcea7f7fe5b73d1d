"""``napari-brats cohort``: plan, run, exit codes, one-line mistakes."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_brats.cli import main
from napari_brats.workflows.cohort.table import read_table
from napari_brats.workflows.queue import read_queue

MakePatients = Callable[[Path, int], Path]
Captured = pytest.CaptureFixture[str]
QUICK = ("--device", "cpu", "--engine", "torch", "--no-figures", "--json")


@pytest.mark.slow
def test_plan_run_failure_and_again(
    tmp_path: Path, make_patients: MakePatients, tiny_model: Path, capsys: Captured
) -> None:
    """0 when all is done, 1 when a patient failed; the JSON says which and why."""
    source, output = make_patients(tmp_path / "in", 2), tmp_path / "out"
    arguments = ["cohort", str(source), "--output", str(output), "--model", str(tiny_model)]
    assert main([*arguments, *QUICK, "--dry-run"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["patients"], plan["to_do"], plan["models"]) == (2, 2, ["tiny"])
    assert plan["disk_bytes"] > 0
    assert not output.exists()
    bad = next(source.glob("*1/*_t1.nii.gz"))
    whole = bad.read_bytes()
    bad.write_bytes(b"")
    assert main([*arguments, *QUICK]) == 1
    captured = capsys.readouterr()
    content = json.loads(captured.out)
    assert content["done"] == 1
    assert content["failed"][0]["patient"] == "BraTS2021_00001"
    assert "failed: BraTS2021_00001, tiny: " in captured.err
    assert [one.case for one in read_queue(output)] == ["BraTS2021_00001", "BraTS2021_00002"]
    bad.write_bytes(whole)
    assert main([*arguments, *QUICK, "--retry-failed"]) == 0
    capsys.readouterr()
    assert main([*arguments, *QUICK, "--verify", "1"]) == 0
    assert json.loads(capsys.readouterr().out) == {"verified": 1, "differ": []}
    (tmp_path / "m.csv").write_text("path\nin/BraTS2021_00002\n")
    fewer = [str(tmp_path / "m.csv") if one == str(source) else one for one in arguments]
    assert main([*fewer, *QUICK]) == 0
    assert json.loads(capsys.readouterr().out)["done"] == 1
    assert len(read_table(output)) == 2
    assert main([*arguments, *QUICK]) == 0
    capsys.readouterr()
    assert main(["cohort", "--replay", str(output / "provenance.json"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["to_do"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "a folder or manifest"),
        (["."], "--output OUT is missing"),
        (["x", "--replay", "y"], "give no folder"),
        (["--replay", "nowhere.json"], "cannot replay"),
        (["{in}", "--output", "{out}", "--workers", "0"], "give 1 or more"),
        (["{in}", "--output", "{out}", "--scheduler", "tcp://x:1", "--slurm"], "--scheduler joins"),
        (["{in}", "--output", "{out}", "--job-option", "cores=1"], "batch system"),
        (["{in}", "--output", "{in}/out"], "which is read"),
        (["{out}", "--output", "{in}"], "does not exist"),
    ],
)
def test_mistakes_are_one_line_and_2(
    tmp_path: Path,
    make_patients: MakePatients,
    tiny_model: Path,
    capsys: Captured,
    options: list[str],
    message: str,
) -> None:
    """What was given, what was expected; nothing is written."""
    make_patients(tmp_path / "in", 1)
    places = {"in": tmp_path / "in", "out": tmp_path / "out"}
    given = [one.format(**places) for one in options]
    assert main(["cohort", *given, "--model", str(tiny_model)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err.splitlines()[-1]
    assert captured.out == ""
    assert not (tmp_path / "out").exists()
