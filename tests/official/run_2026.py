"""Run ``brats-evaluation`` (in its own environment) on pairs of masks; print JSON.

python run_2026.py JOBS.json
"""

import contextlib
import json
import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import pandas as pd
from brats_evaluation.evaluation import evaluate_single_exam
from brats_evaluation.metrics_parser import parse_mets_results, parse_seg_results
from panoptica import Panoptica_Evaluator

CONFIGS = {
    "GLI": "gli", "MET": "mets", "PED": "ped", "MEN": "MenPre", "MEN-RT": "MenRT", "GoAT": "GoAT",
}  # fmt: skip


def run(job, folder):
    """Return one pair's row of the package's own table."""
    config = files("brats_evaluation") / "configs" / f"config_{CONFIGS[job['task']]}.yaml"
    evaluator = Panoptica_Evaluator.load_from_config(str(config))
    found = evaluate_single_exam(job["prediction"], job["reference"], "case", evaluator)
    summary, table = folder / "summary.json", folder / "table.csv"
    summary.write_text(json.dumps({"metrics": [found], "missings": []}))
    if job["task"] == "MET":
        parse_mets_results(str(summary), 20.0, 0.1, str(table))
    else:
        parse_seg_results(str(summary), str(table))
    row = pd.read_csv(table).iloc[0].drop("subject_id")
    return {name: None if pd.isna(value) else float(value) for name, value in row.items()}


with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(sys.stderr):
    results = [run(job, Path(name)) for job in json.loads(Path(sys.argv[1]).read_text())]
print(json.dumps(results))
