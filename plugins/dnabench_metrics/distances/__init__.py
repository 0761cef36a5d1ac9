"""Distances between two sets of embeddings."""
