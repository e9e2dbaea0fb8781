"""ValidateEmail: whether the message may be processed and answered."""
