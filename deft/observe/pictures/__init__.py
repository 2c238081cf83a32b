"""Pictures of Meta-Tasks: what is drawn, where it stands, and the formats it is written in."""
