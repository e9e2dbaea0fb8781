"""Faults made by hand, one by one, to see that a test fails for each: `make mutants`."""
