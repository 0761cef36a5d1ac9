"""dnabench plugin: baselines."""
