"""ProcessEmail: the route's processor turns the message into a digest."""
