"""Templates: find, fill, expand, check."""
