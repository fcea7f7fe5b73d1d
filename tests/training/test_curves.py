import numpy as np

from napari_brats.training.curves import draw_curves, read_log


def write(folder, number, text):
    run = folder / f"version_{number}"
    run.mkdir(parents=True)
    (run / "metrics.csv").write_text(text)


def test_no_log_gives_no_curves(tmp_path):
    """Empty case: nothing to read, and a figure all the same."""
    assert read_log(tmp_path) == {}
    assert draw_curves(tmp_path, tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"


def test_runs_are_joined(tmp_path):
    """A resumed training's curve is one; steps that were repeated count once, the later ones."""
    write(tmp_path, 9, "dice_WT,loss,step\n,3.0,0\n,2.0,1\n0.5,,1\n,9.0,2\n")
    write(tmp_path, 10, "dice_WT,loss,step\n,1.0,2\n0.7,,2\n")
    curves = read_log(tmp_path)
    np.testing.assert_array_equal(curves["loss"], [[0, 3], [1, 2], [2, 1]])
    np.testing.assert_array_equal(curves["dice_WT"], [[1, 0.5], [2, 0.7]])
    assert draw_curves(tmp_path, tmp_path / "curves.png").stat().st_size > 5000


def test_a_line_that_was_cut_off_costs_no_other(tmp_path):
    """A kill or a full disk may leave half a line, which a resumed training reads at its end."""
    write(tmp_path, 0, "loss,rate,step\n3.0,0.1,0\n2.0,0.1,1\n1.0,0.")
    write(tmp_path, 1, "loss,rate,step\n2.0,0.1,2\n2.0,0.1,\n2e,0.1,3")
    np.testing.assert_array_equal(read_log(tmp_path)["loss"], [[0, 3], [1, 2], [2, 2]])
