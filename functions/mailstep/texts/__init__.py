"""Every sentence that a sender reads: one file for each language, and how one of them is chosen and said."""
