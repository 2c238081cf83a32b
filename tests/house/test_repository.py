"""Nothing in the repository leads outside it: no folder of one machine, no private host, no dead link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT, name, texts

# Each pattern is written so that it does not find itself.
OUTSIDE = {
    "a folder of one machine": re.compile(r"(?<![\w./$}])/(?:wor[k]|roo[t]|hom[e]/\w+|User[s]/\w+)/"),
    "a setting of pip's index": re.compile(r"index-ur[l]|PIP_[A-Z_]*INDE[X]|find-link[s]|PIP_FIND_LINK[S]"),
    "a private host": re.compile(r"https?://[\w.-]+\.(?:corp|interna[l]|intranet|lan|local)\b"),
    "a host by number": re.compile(r"https?://(?!127\.|0\.0\.0\.0)\d+\.\d+\.\d+\.\d+"),
}
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)\b")

PAGES = tuple(path for path in texts() if path.suffix == ".md")
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=name)


def test_no_file_names_what_lies_outside() -> None:
    found = [
        f"{name(path)}:{number}: {what}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for what, pattern in OUTSIDE.items()
        if pattern.search(line)
    ]
    assert found == []


@EVERY_PAGE
def test_a_link_leads_somewhere(page: Path) -> None:
    dead = [link for link in LINK.findall(_prose(page)) if not _leads_somewhere(page, link)]
    assert dead == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "README.md"
    reached, waiting = {index}, [index]
    while waiting:
        page = waiting.pop()
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in LINK.findall(_prose(page))}
        new = {target for target in targets if target.suffix == ".md" and target not in reached}
        reached |= new
        waiting += [target for target in new if target.is_file()]
    assert [name(page) for page in PAGES if page not in reached and page.is_relative_to(ROOT / "docs")] == []


@EVERY_PAGE
def test_a_make_command_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    named = {word for line in _commands(page) for word in MAKE.findall(line)}
    assert named <= targets


def test_the_readme_begins_with_what_a_bare_machine_needs() -> None:
    commands = [
        line for line in _commands(ROOT / "README.md") if line.startswith(("apt", "sudo", "make", "git"))
    ]
    assert "git make python3-venv" in commands[0]
    assert {"make demo", "make test"} <= {command.partition("#")[0].strip() for command in commands}


def _prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def _commands(page: Path) -> list[str]:
    """Lines of the code blocks and pieces of code in the prose."""
    text = page.read_text(encoding="utf-8")
    blocks = [line.strip() for block in FENCE.findall(text) for line in block.splitlines()[1:-1]]
    return blocks + re.findall(r"`([^`\n]+)`", FENCE.sub("", text))


def _leads_somewhere(page: Path, link: str) -> bool:
    if re.match(r"(https?|mailto):", link):
        return True
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    if not target.exists():
        return False
    return not anchor or anchor in _anchors(target)


def _anchors(page: Path) -> set[str]:
    headings = HEADING.findall(_prose(page))
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
