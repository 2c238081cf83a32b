"""DEFT: a database engine for tasks."""
