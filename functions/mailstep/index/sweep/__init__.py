"""SweepFunction: fills the gaps that lost events leave in the index."""
