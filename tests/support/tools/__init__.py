"""What other programs do to a GraphML file, where they cannot be run in a test: small emulations.

Each has `trip(document) -> document`: read and written again by that program, as its source or files made by
it tell. What they lose and change is listed at their head; anything else stays as it was.
"""
