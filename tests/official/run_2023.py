"""Run the BraTS 2023 script (in its own environment) on pairs of masks; print JSON.

python run_2023.py SCRIPT_FOLDER JOBS.json
"""

import contextlib
import json
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import numpy as np
import pandas as pd
import surface_distance
from eval import get_LesionWiseResults

measure = surface_distance.compute_surface_distances
# The script passes whole numbers, which newer versions of this package refuse.
surface_distance.compute_surface_distances = lambda first, second, spacing: measure(
    first.astype(bool), second.astype(bool), spacing
)


def replace(frame, old, new, inplace=False):
    """Replace numbers; pandas' own refuses the column of arrays that the script has."""
    result = frame if inplace else frame.copy()
    for name in result.select_dtypes(np.number):
        result[name] = result[name].where(result[name] != old, new)
    return None if inplace else result


pd.DataFrame.replace = replace

results = []
for job in json.loads(Path(sys.argv[2]).read_text()):
    with contextlib.redirect_stdout(sys.stderr):
        table = get_LesionWiseResults(job["prediction"], job["reference"], f"BraTS-{job['task']}")
    results.append(table.set_index("Labels").astype(float).to_dict("index"))
print(json.dumps(results))
