"""Recipes: how a patient's images become a network's input, and predictions come back."""
