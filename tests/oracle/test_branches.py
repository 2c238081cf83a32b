"""Where the code asks which database it speaks to: elsewhere, what SQLite is told Oracle is told, too."""

from __future__ import annotations

import re

from tests.support.repository import ROOT

BRANCHES = {
    "deft/base/database.py": "the seam itself",
    "deft/base/holdings.py": "how many rows SQLite deletes at once",
    "deft/base/idlists.py": "how a list of ids is bound",
    "deft/base/journal.py": "Oracle locks no rows of a query that says how many it wants",
    "deft/base/space.py": "what a database takes on disk, each in its own words",
    "deft/base/wording.py": "how a value is bound",
    "deft/engine/archive.py": "noted in an archive",
    "deft/engine/commands.py": "SQLite has one writer: nothing is asked again under a lock",
    "deft/observe/health.py": "shown",
    "deft/store/archive.py": "how a transaction sees one state of the database",
    "deft/store/lineage.py": "Oracle's recursion walks every path",
    "deft/store/locks.py": "SQLite has one writer: nothing is locked",
    "deft/store/numbering.py": "SQLite does not count by itself",
    "deft/store/schema.py": "which schema.sql",
    "deft/wire/hints.py": "which bell",
}


def test_the_code_asks_which_database_it_speaks_to_nowhere_else() -> None:
    asks = re.compile(r"dialect\.name|get_backend_name|isinstance\(.*Dialect")
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "deft").rglob("*.py"))
        if asks.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(BRANCHES), "say here why, and judge in test_statements.py what Oracle is told there"
