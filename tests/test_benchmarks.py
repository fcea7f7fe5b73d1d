"""What `benchmarks/compare_peers.py` rests on: the clock, the ceilings, the ways, the table.

Its ways for a GPU run here on the CPU: the same code with another device's name.
"""

import json
import shutil
import sys
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import Pipe
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))  # the processes need it too
import compare_peers
import hardware
import serving
from pages import write_block
from peers import WAYS, Way, seeded
from peers_table import COLUMNS, Row, lines_of
from workload import Workload, _values_moved, workload

from napari_brats.networks.registry import model_spec

ROOT = Path(__file__).parents[1]
VOLUME = np.random.default_rng(0).normal(size=(4, 18, 32, 16)).astype(np.float32)


@pytest.fixture(autouse=True)
def flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put back what a way sets for its own process."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", False)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the CPU work like a GPU: small, and done a second after it was asked to be.

    Returns what was called; the clock stands still but for that second.
    """
    calls, now = [], [0.0]

    def finish(name: str) -> None:
        calls.append(name)
        now[0] += 1

    row = hardware.HARDWARE["cpu"]
    row = replace(row, finish=finish, side=64, copied=2**20, peak_bytes=lambda _: 7)
    monkeypatch.setitem(hardware.HARDWARE, "cpu", row)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    return calls


def test_ceilings_are_timed_until_the_device_is_done(device: list[str]) -> None:
    """2 n^3 operations a second; a copy reads and writes."""
    assert hardware.matrix_tflops("float32", "cpu") == pytest.approx(2 * 64**3 / 1e12)
    assert hardware.copy_terabytes("cpu") == pytest.approx(2 * 2**20 / 1e12)
    assert device
    peaks, copy = compare_peers.measure_peaks("cpu")
    assert set(peaks) == {"float32", "bfloat16"}
    assert copy > 0


def test_tf32_is_on_for_its_own_ceiling_only(
    device: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And afterwards what it was."""
    seen = []

    def least(*_: object) -> float:
        seen.append(torch.backends.cuda.matmul.allow_tf32)
        return 1.0

    monkeypatch.setattr(hardware, "_least", least)
    for numbers in ("float32", "tfloat32", "bfloat16"):
        hardware.matrix_tflops(numbers, "cpu")
    assert seen == [False, True, False]
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_way_is_timed_until_the_device_is_done(device: list[str]) -> None:
    """From rest to rest: one second, the labels, the peak memory."""
    logits = np.stack([VOLUME[0], -VOLUME[0]])
    seconds, labels, peak = serving._timed(lambda _: logits, VOLUME, "cpu")
    assert (seconds, peak, len(device)) == (1.0, 7, 2)
    np.testing.assert_array_equal(labels, VOLUME[0] < 0)


def test_a_gpus_row_asks_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every entry takes the device's name to CUDA."""
    calls = []
    for name in ("set_device", "synchronize", "max_memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda where, name=name: calls.append((name, where)))
    row = hardware.hardware("cuda:1")
    row.begin("cuda:1")
    row.finish("cuda:1")
    row.peak_bytes("cuda:1")
    assert calls == [
        ("set_device", "cuda:1"),
        ("synchronize", "cuda:1"),
        ("max_memory_allocated", "cuda:1"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "model"),
    [
        (name, model)
        for model in ("dresunet3d", "kermi2018")
        for name, way in WAYS.items()
        # A CPU has no TF32 and is slow in float16; one needs a compiler.
        if way.numbers in ("float32", "bfloat16") and name not in ("compiled", "plain-f32")
    ],
)
def test_every_way_gives_logits_of_the_volume(name: str, model: str) -> None:
    """Those that see the whole volume at once, like plain PyTorch."""
    way, spec = WAYS[name], model_spec(model)
    if spec.ndim not in way.ndims or find_spec(way.package) is None:
        pytest.skip(f"{name} does not run a network of {spec.ndim} axes here")
    expected = WAYS["plain-f32"].prepare(seeded(model, "lite"), spec, "cpu")(VOLUME)
    found = way.prepare(seeded(model, "lite"), spec, "cpu")(VOLUME)
    assert found.shape == (3, 18, 32, 16)
    assert found.dtype == np.float32
    padded_otherwise = way.package == "monai"
    if not padded_otherwise:
        within = 1e-4 if way.numbers == "float32" else 0.05
        np.testing.assert_allclose(found, expected, atol=within * np.abs(expected).max())


def test_a_gpus_ways_leave_out_what_runs_on_cpus_only() -> None:
    """OpenVINO and nnU-Net; every way's number type has a ceiling."""
    on_gpu = {name for name, way in WAYS.items() if "cuda" in way.kinds}
    assert not any(name.startswith(("openvino", "nnunet")) for name in on_gpu)
    assert {compare_peers.BASE, compare_peers.AUTOCAST, compare_peers.EXACT} <= on_gpu
    assert {WAYS[name].numbers for name in on_gpu} == set(hardware.NUMBERS)


def test_a_failure_is_told_and_ends_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """In words, also of what went wrong before the first run; a dead process has none."""

    def broken(*_: object) -> None:
        raise RuntimeError("no such kernel")

    monkeypatch.setitem(WAYS, "broken", Way("broken", broken))
    ours, theirs = Pipe()
    serving.serve(theirs, "broken", "dresunet3d", "lite", VOLUME)
    theirs.close()
    assert compare_peers._ask(ours) == "RuntimeError: no such kernel"
    assert "ended without a word" in compare_peers._ask(ours)


@pytest.mark.slow
def test_what_a_pass_moves_is_counted_by_hand() -> None:
    """A convolution reads 64 and writes 128, its norm is folded, ReLU reads and writes 128."""
    layers = (nn.Conv3d(1, 2, 3, padding=1), nn.BatchNorm3d(2), nn.ReLU())
    moved = _values_moved(nn.Sequential(*layers).eval(), torch.zeros(1, 1, 4, 4, 4))
    assert moved == 64 + 128 + 128 + 128
    assert Workload(1.0, 3e9, 10**9).terabytes(2) == pytest.approx(0.008)


@pytest.mark.slow
@pytest.mark.parametrize("model", ["dresunet3d", "kermi2018"])
def test_twice_the_volume_takes_twice_the_work(model: str) -> None:
    """But not twice the weights."""
    one = workload(model, "lite", VOLUME)
    two = workload(model, "lite", np.concatenate([VOLUME, VOLUME], axis=3))
    assert two.tflop == pytest.approx(2 * one.tflop)
    assert two.values == pytest.approx(2 * one.values)
    assert two.weights == one.weights > 0


def test_each_kind_of_device_has_its_table() -> None:
    """Milliseconds and the copy's share for a GPU; what was not run is a dash."""
    row = Row("unet3d", "monai-bf16", 1.5, 0.0314, 5, None, 1.0, 2.0, 99.0, 0.25, 0.5, None)
    head, rule, line = (text.strip("| ").split(" | ") for text in lines_of([row], "cuda"))
    assert len(head) == len(rule) == len(line) < len(COLUMNS)
    found = dict(zip(head, line, strict=True))
    assert found["median ms"] == "31.4"
    assert found["of the copy peak"] == "50%"
    assert found["times MONAI float32"] == found["labels changed"] == "-"
    assert "median ms" not in lines_of([row], "cpu")[0]


def test_a_gpus_table_reaches_the_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the command to page and JSON, with a GPU that only says what it took."""
    labels = VOLUME[0] > 0
    asked = []

    def take_turns(model: str, size: str, volume: np.ndarray, names: list[str], **options: object):
        asked.append((model, size, names, options))
        answers = {name: [(2.0, labels, 3 * 10**9)] + [(0.02, labels, 10**9)] * 2 for name in names}
        del answers["monai-f16"]
        return answers, {"monai-f16": "OutOfMemoryError: CUDA out of memory"}

    page, figures = tmp_path / "performance.md", tmp_path / "figures.json"
    shutil.copy(ROOT / "docs/performance.md", page)
    names = ["monai-f32", "monai-f16", "kept-bf16", "openvino-f32"]
    command = ["compare_peers.py", "--device", "cuda", "--model", "unet3d", "--runs", "2"]
    command += ["--page", str(page), "--json", str(figures), "--way", *names]
    row = replace(hardware.HARDWARE["cuda"], title=lambda where: f"GPU {where}")
    monkeypatch.setitem(hardware.HARDWARE, "cuda", row)
    for name, stand_in in {
        "take_turns": take_turns,
        "resolve_device": lambda _: SimpleNamespace(torch_name="cuda:0"),
        "load_case": lambda _: SimpleNamespace(images={}, affine=None),
        "prepare": lambda *_: SimpleNamespace(volume=VOLUME),
        "measure_peaks": lambda _: ({"float32": 50.0, "bfloat16": 100.0}, 4.0),
        "workload": lambda *_: Workload(1.0, 1e10, 10**6),
    }.items():
        monkeypatch.setattr(compare_peers, name, stand_in)
    monkeypatch.setattr(sys, "argv", command)
    compare_peers.main()
    ((model, size, wanted, options),) = asked
    assert (model, size, options["device"], options["runs"]) == ("unet3d", "paper", "cuda:0", 2)
    assert wanted == ["monai-f32", "monai-f16", "plain-f32", "kept-bf16"]
    assert "MONAI sliding window, float16 autocast: OutOfMemoryError" in capsys.readouterr().out
    text = page.read_text("utf-8")
    (line,) = (line for line in text.splitlines() if "`unet3d` | ours, engine kept" in line)
    assert line.endswith("| 20.0 | 1.0 | - | 2 | 2.0 | 1.0 | 50.0 | 50% | 25% | 0.00% |")
    assert "GPU cuda:0" in text
    assert "bfloat16 100 TFLOP/s, copies 4.00 TB/s" in text
    assert [one["way"] for one in json.loads(figures.read_text())] == [
        "monai-f32",
        "plain-f32",
        "kept-bf16",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--device", "tpu"], "--device must be one of cpu, cuda, got 'tpu'"),
        (["--device", "cuda:77"], "CUDA device"),
        (["--runs", "0"], "--runs must be at least 1"),
    ],
)
def test_what_cannot_be_measured_is_refused_at_once(
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before any process is started."""
    monkeypatch.setattr(sys, "argv", ["compare_peers.py", *arguments])
    with pytest.raises(SystemExit):
        compare_peers.main()
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_ways_take_turns_in_processes_of_their_own() -> None:
    """One fails, the other is asked as often as it should; its labels and memory come back."""
    answers, failures = compare_peers.take_turns(
        "dresunet3d", "lite", VOLUME, ["plain-f32", "no such way"], runs=2
    )
    assert list(failures) == ["no such way"]
    assert [len(said) for said in answers.values()] == [3]
    (row,) = compare_peers.rows_of("dresunet3d", "lite", VOLUME, answers, ({"float32": 1.0}, 1.0))
    assert row.runs == 2
    assert row.changed == 0
    assert row.peak_gb > 0.1


@pytest.mark.parametrize("block", ["peers-paper", "peers-paper-cuda"])
def test_the_page_has_a_place_for_the_table(block: str, tmp_path: Path) -> None:
    """A long run must not end with nowhere to write."""
    page = tmp_path / "performance.md"
    shutil.copy(ROOT / "docs/performance.md", page)
    write_block(page, block, "what was found")
    assert f"<!-- measured: {block} -->\nwhat was found\n<!-- end -->" in page.read_text("utf-8")
