"""Tests with the library PyUtilib: workflows as payloads, and as Meta-Tasks."""
