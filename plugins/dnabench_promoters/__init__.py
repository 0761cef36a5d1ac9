"""dnabench plugin: promoters."""
