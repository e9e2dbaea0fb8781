"""`mailstep verify-aws`: what the design relies on, tried in an account, in a stack that is removed afterwards."""
