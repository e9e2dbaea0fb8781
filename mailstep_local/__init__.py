"""An AWS account on this machine: MiniStack on loopback, the deployed stack in it, and the SMTP edges of SES."""
