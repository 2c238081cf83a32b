"""Measurements: never run as tests, never asserted; `make bench` prints them."""
