"""Metrics on nearest neighbours among embeddings."""
