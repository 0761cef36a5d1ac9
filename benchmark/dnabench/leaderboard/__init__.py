"""From facts to ranked tables."""
