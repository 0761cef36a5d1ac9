"""Data in and out: readers, splits, sources."""
