"""The domain of Mailstep: what an email is, who may be answered, and with what. It knows nothing of Lambda."""
