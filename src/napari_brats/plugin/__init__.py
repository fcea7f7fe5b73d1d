"""What napari-brats gives to napari as plain layer tuples: no napari, Qt or torch here."""
