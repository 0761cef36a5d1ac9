"""Position weight matrices, where their best hits lie, and how two sets of sequences differ in that."""
