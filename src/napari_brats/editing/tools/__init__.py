"""Whole-volume tools: what brushes are too slow for, as functions of a tissue map."""
