"""FeedbackFunction: who bounced for good, or complained, is left alone from now on."""
