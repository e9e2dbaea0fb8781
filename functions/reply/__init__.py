"""SendReply and its sisters: the digest, a refusal or a notice goes to the sender, once."""
