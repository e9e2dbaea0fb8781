"""FeedbackFunction: what SES tells of replies that it took."""
