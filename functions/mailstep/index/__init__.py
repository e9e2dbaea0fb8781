"""IndexFunction keeps the index of messages up to date; SweepFunction (index/sweep) fills its gaps."""
