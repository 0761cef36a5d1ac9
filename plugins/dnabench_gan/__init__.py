"""dnabench plugin: gan."""
