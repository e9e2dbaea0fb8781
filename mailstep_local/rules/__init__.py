"""AWS's own rules for a request: its service models, and its documents where the models say nothing.

The gate asks here about every request before MiniStack sees it (`layer.refusal`). patches/own_calls.py asks about calls
that MiniStack makes within its own process.
"""
