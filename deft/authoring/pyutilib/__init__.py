"""PyUtilib workflows as Meta-Tasks."""
