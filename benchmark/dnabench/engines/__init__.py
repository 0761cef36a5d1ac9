"""Engines: where and how cells are executed."""
