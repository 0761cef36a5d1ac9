"""Metrics on the sequences themselves."""
