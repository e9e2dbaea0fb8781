"""The commands, by subject. Each reads its arguments, calls one function and shows the result."""
