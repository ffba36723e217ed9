"""The store: what is issued, what should be, and what is still behind."""
