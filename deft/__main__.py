"""`python -m deft`: the command line."""

from __future__ import annotations

from deft.cli.root import main

if __name__ == "__main__":
    main()
