"""dnabench plugin: discdiff."""
