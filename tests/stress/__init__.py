"""How much a machine carries: `make stress`."""
