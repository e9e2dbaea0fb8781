"""ParseEmail: the raw message to a Message."""
