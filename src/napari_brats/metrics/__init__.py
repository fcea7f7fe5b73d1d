"""How good a mask is: `overlap` counts, `scores` makes the numbers that people read."""
