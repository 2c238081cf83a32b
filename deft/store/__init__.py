"""Rows to model and back: tables, graphs, markings, guards in SQL, history."""
