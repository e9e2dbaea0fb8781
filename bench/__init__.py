"""Measurements and long runs; nothing here is part of the tests' verdict."""
