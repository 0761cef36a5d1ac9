"""Models that predict activity or chromatin from sequence, as metrics and as embedders."""
