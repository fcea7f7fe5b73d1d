"""What commands and widgets do, from files to results; no window, no printing."""
