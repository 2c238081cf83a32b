"""The write side: one transaction a verb."""
