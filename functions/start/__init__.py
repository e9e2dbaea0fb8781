"""StartWorkflow: from the inbound queue to a named execution."""
