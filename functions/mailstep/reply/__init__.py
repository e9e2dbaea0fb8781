"""The states that send: what goes to the sender, once."""
