"""ParseEmail: from the raw message in S3 to a Message, and the claim check that state carries."""
