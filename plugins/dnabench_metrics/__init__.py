"""dnabench plugin: metrics."""
