"""What the metrics see, measured on real promoters: ``python -m dnabench_metrics.calibration --data DIR``."""
