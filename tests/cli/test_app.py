"""What all commands share: exit codes, one-line mistakes, one JSON object."""

import gc
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import napari_brats
from napari_brats.cli import main, run
from napari_brats.cli.app import COMMANDS, USER_MISTAKE
from napari_brats.errors import CaseError
from napari_brats.workflows import segment as workflow

MakePatient = Callable[..., Path]
Captured = pytest.CaptureFixture[str]


def test_help_lists_every_command(capsys: Captured) -> None:
    """``--help`` names the commands with a line each and exits with 0."""
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    for module in COMMANDS:
        assert module.__name__.rpartition(".")[2] in text


def test_the_process_ends_with_the_command_s_code(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake is 2, for whoever started it; nothing is searched for garbage on the way out."""
    monkeypatch.setattr(sys, "argv", ["napari-brats", "segment", "nowhere"])
    try:
        with pytest.raises(SystemExit) as stop:
            run()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
    assert stop.value.code == USER_MISTAKE
    assert "nowhere" in capsys.readouterr().err


def test_version(capsys: Captured) -> None:
    """``--version`` prints the installed version."""
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"napari-brats {napari_brats.__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["divide", "x"],
        ["segment"],
        ["segment", "x", "--labels", "brats1999"],
        ["segment", "x", "--colour"],
        ["evaluate", "x"],
        ["train", "--steps", "many"],
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(arguments: list[str], capsys: Captured) -> None:
    """The line says what is wrong and where help is; stdout stays empty."""
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "--help" in captured.err


@pytest.mark.parametrize("json_flag", [[], ["--json"]])
def test_a_users_mistake_is_one_line_and_2(
    json_flag: list[str], tmp_path: Path, capsys: Captured
) -> None:
    """A `BratsError` has no traceback; with ``--json`` stdout stays empty."""
    assert main(["segment", str(tmp_path), *json_flag]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("napari-brats: ")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is no user's mistake is not hidden."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("napari_brats.workflows.outputs.folder_beside", broken)
    with pytest.raises(ZeroDivisionError):
        main(["segment", str(tmp_path)])


def test_interrupted_is_one_line_and_130(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    make_patient_folder: MakePatient,
    capsys: Captured,
) -> None:
    """Ctrl-C while segmenting writes no mask and shows no traceback."""

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workflow, "segment", stopped)
    folder = make_patient_folder(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["segment", str(folder)]) == 130
    assert capsys.readouterr().err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one child process")
def test_a_real_interrupt_ends_the_process(
    tmp_path: Path, make_patient_folder: MakePatient
) -> None:
    """SIGINT in the middle of the work ends with 130, one line and no new file."""
    folder = make_patient_folder(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    code = (
        "import sys, time, napari_brats.workflows.segment as workflow; "
        "workflow.load_case = lambda *_, **__: (print('ready', flush=True), time.sleep(30)); "
        "from napari_brats.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "segment", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


def test_json_is_the_only_thing_on_stdout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    """What a library prints goes to stderr; stdout parses as one object."""
    from napari_brats.networks import catalog

    def chatty(_: object) -> list[object]:
        print("a library says hello")
        return []

    monkeypatch.setattr(catalog, "list_models", chatty)
    assert main(["models", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"models": []}
    assert captured.err == "a library says hello\n"


def test_python_m_runs_the_command(tmp_path: Path) -> None:
    """``python -m napari_brats`` gives the command's exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "napari_brats", "segment", str(tmp_path)],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2


def test_errors_are_shown_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    """A long message is neither wrapped nor cut: it stays one line."""
    message = "x " * 300

    def fail(*_: object) -> None:
        raise CaseError(message)

    monkeypatch.setattr("napari_brats.workflows.outputs.folder_beside", fail)
    main(["segment", str(tmp_path)])
    assert capsys.readouterr().err == f"napari-brats: {message}\n"


@pytest.mark.skipif(os.name != "posix", reason="pipes that close are POSIX")
def test_a_pipe_that_closes_is_no_error() -> None:
    """``napari-brats models | head`` ends quietly."""
    words = f"{sys.executable} -m napari_brats models --json | (exec 0<&-; sleep 0)"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", words], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode in (0, 141)
