"""Reads RFC 5322 and MIME. Imports nothing of the service."""
