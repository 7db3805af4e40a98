"""A store as one page that opens anywhere."""
