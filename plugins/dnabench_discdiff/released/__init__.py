"""The two networks as the authors of DiscDiff released them, for the preset ``paper``."""
