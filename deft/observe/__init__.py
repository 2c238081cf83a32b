"""The read side: where all stands."""
