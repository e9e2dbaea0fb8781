"""StartFunction: from an S3 event to an execution."""
