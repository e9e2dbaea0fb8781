"""SendReply: the digest, a refusal or a failure notice goes to the sender, once."""
