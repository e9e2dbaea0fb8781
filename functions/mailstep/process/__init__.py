"""ProcessEmail: the route's processor, or the application, does the work."""
