"""Five published networks, their registry, and checkpoints that bind weights to a recipe."""
