"""What tests stand on: real databases, what the machine must have, generated reference tables."""
