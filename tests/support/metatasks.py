"""Meta-Tasks for tests of what comes in and goes out: random ones, and one that holds a bit of everything."""

from __future__ import annotations

from hypothesis import strategies as st

from deft.model import keys
from deft.model.graph import MetaTask
from deft.model.keys import Key, Value
from deft.model.tasks import Edge, Foreign, NodeKind, Task

LEGAL = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
TEXT = st.text(LEGAL | st.sampled_from("\t\n\r"), max_size=12)
NAME = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,9}", fullmatch=True)


def values(key: Key) -> st.SearchStrategy[Value]:
    """What a key may hold."""
    if key.choices:
        return st.sampled_from(key.choices)
    if key.kind == "boolean":
        return st.booleans()
    if key.kind == "int":
        low, high = key.low, key.high
        return st.integers(-(2**63) if low is None else int(low), 2**63 - 1 if high is None else int(high))
    if key.kind == "double":
        return st.floats(key.low, key.high, allow_nan=False, allow_infinity=False) | st.just(1)
    return TEXT


def settings(scope: keys.Scope, *without: str) -> st.SearchStrategy[dict[str, Value]]:
    """Random settings of a scope, families among them."""
    fixed = {k.name: values(k) for k in keys.KEYS if k.scope == scope and k.name not in without}
    family = st.dictionaries(st.builds("attr.{}".format, NAME), TEXT, max_size=2)
    known = st.fixed_dictionaries({}, optional=fixed)
    return st.builds(lambda a, b: {**a, **b}, known, family)


@st.composite
def metatasks(draw: st.DrawFn) -> MetaTask:
    own = draw(settings("graph", "deft.version", "name", "project"))
    made = MetaTask(draw(NAME), project=draw(NAME), settings=own)
    names = draw(st.lists(NAME, min_size=1, max_size=5, unique=True))
    for name in names:
        own = draw(settings("node", "task", "metatask", "kind"))
        foreign = Foreign(tuple(draw(st.lists(st.tuples(st.just("=note"), TEXT), max_size=1))))
        made.add(Task(name, draw(st.sampled_from(NodeKind)), own, foreign=foreign))
    made.foreign = Foreign((("#note", '<key attr.name="note" for="node" id="note"/>'),))
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    for source, target in draw(st.lists(st.sampled_from(pairs), max_size=6)) if pairs else ():
        made.join(Edge(source, target, draw(settings("edge"))))
    return made


def everything(*, blank: bool = True) -> MetaTask:
    """Each type and kind, texts that are hard to keep, two datasets between two tasks, places of a drawing.

    `blank`: with texts that are empty or blank, which some tools take for absent.
    """
    made = MetaTask("mixed", project="lab", settings={
        "goal": 1 / 3, "max_running": 12, "snapshot": True,
        "param.events": "1000", "param.events.type": "int",
        "description": "ünï  <code> & \"quotes\"",
    })  # fmt: skip
    made.foreign = Foreign((
        ("#label", '<key attr.name="label" attr.type="string" for="node" id="label"/>'),
        ("#x", '<key attr.name="x" attr.type="float" for="node" id="x"/>'),
        ("#y", '<key attr.name="y" attr.type="float" for="node" id="y"/>'),
    ))  # fmt: skip
    made.add(Task("raw", NodeKind.ENTRY, id="in", foreign=_at(0.1)))
    made.add(Task("evgen", settings={
        "command": "run --n ${{param.events}} < {input} > {output}\n\t# 'done' && exit", "armed": False,
        "resources.cores": 4, "goal": 0.1, "priority": 2**40, "param.tune": "007", "env.FLAG": "true",
    }, foreign=_at(10.3)))  # fmt: skip
    made.add(Task("simul", settings={
        "command": "simulate {input}", "split.gb_per_job": 1e-05, "allow_empty": True,
        **({"attr.note": "  ", "param.empty": ""} if blank else {}),
    }, foreign=_at(-20.7)))  # fmt: skip
    made.add(Task("plots", NodeKind.EXIT, foreign=_at(33.3)))
    made.join(
        Edge("raw", "evgen", {"source.json": '["/a/*.raw","!/a/x"]', "open": True, "rescan_s": 60}, "e7")
    )
    made.join(Edge("evgen", "simul", {"type": "hits", "start_when": "20%"}, "hits"))
    made.join(Edge("evgen", "simul", {"type": "log", "role": "secondary", "reduce": True}, "log"))
    made.join(Edge("simul", "plots", {"dataset": "final", "format": "root"}, "e9"))
    return made


def _at(x: float) -> Foreign:
    return Foreign((("=label", f"at {x}"), ("=x", str(x)), ("=y", str(-x / 3))))
