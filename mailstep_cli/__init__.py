"""The `mailstep` command: run the stack here, and look at what happened to every message, here or on AWS."""
