"""What people write in a reply, told from what their mail client quotes and signs."""
