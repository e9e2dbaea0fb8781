"""ValidateEmail: who is processed and who is replied to."""
