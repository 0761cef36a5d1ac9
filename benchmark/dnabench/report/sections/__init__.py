"""The sections of a report, a module each: facts of a run in, plain data out."""
