"""Airspeed velocity suites: each stage of a patient's way, on the bundled synthetic patient.

    cd benchmarks && asv run --python=same --quick

``asv`` is in the extra ``dev``. Figures of one machine at one time; `compare_peers.py` has the
ratios.
"""
