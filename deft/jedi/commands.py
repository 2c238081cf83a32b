"""The commands that JEDI adds to the faces: what they are called and take. Imports nothing heavy."""

from __future__ import annotations

from deft.base.plugin import Command, Group, Option

JOBS = Command(
    name="jobs",
    help="List the jobs of tasks: state, attempts, where they ran, what they used.",
    run="deft.jedi.reads:jobs",
    verb="read",
    options=(
        Option("--state", "only jobs in this state: planned, running, ok, failed …"),
        Option("--limit", "at most that many", type="integer", default=100),
    ),
    examples=("deft jobs chain", "deft jobs chain/reco --state failed"),
)

LOGS = Command(
    name="logs",
    help="Show what a job wrote on standard output.",
    run="deft.jedi.reads:logs",
    verb="read",
    takes="job",
    options=(
        Option("--attempt", "of this attempt, not of the newest", type="integer"),
        Option("--stderr", "standard error instead", type="flag", default=False),
        Option("--tail", "only the last lines, that many", type="integer"),
    ),
    examples=("deft logs 17", "deft logs 17 --stderr --tail 20"),
)

JEDI = Group(
    name="jedi",
    help="The executor: run it, or ask who does.",
    commands=(
        Command(
            name="run",
            help="Serve this database: make, run and follow jobs until it is told to stop.",
            run="deft.jedi.control:run",
            verb="jedi",
            takes="nothing",
            options=(Option("--slots", "jobs at once on this machine", type="integer"),),
            examples=("deft jedi run", "deft jedi run --slots 4"),
        ),
        Command(
            name="once",
            help="Apply all orders and run jobs until nothing is ready or running.",
            run="deft.jedi.control:once",
            verb="jedi",
            takes="nothing",
            options=(Option("--slots", "jobs at once on this machine", type="integer"),),
        ),
        Command(
            name="apply",
            help="Apply all orders and answer them; run no job.",
            run="deft.jedi.control:apply",
            verb="jedi",
            takes="nothing",
        ),
        Command(
            name="status",
            help="Who serves this database, and how many jobs are in which state.",
            run="deft.jedi.control:status",
            verb="read",
            takes="nothing",
        ),
    ),
)
