"""FeedbackFunction: handles SES's bounces and complaints about replies."""
