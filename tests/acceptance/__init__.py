"""DEFT as a newcomer meets it: real commands in real work folders, and everything that may go wrong."""
