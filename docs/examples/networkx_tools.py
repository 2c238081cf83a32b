"""NetworkX on a live Meta-Task: what its tools say about it, and a part of it as a Meta-Task of its own.

python docs/examples/networkx_tools.py [WORKDIR]
"""

from __future__ import annotations

import sys

import networkx as nx

import deft


def production() -> deft.MetaTask:
    """Two samples, each in two steps, and a comparison."""
    made = deft.MetaTask("compare", params={"lines": 5})
    checked = []
    for sample in ("signal", "background"):
        drawn = made.task(f"draw_{sample}", "seq {param.lines} > {output}", jobs=3)
        checked.append(drawn.then(f"check_{sample}", "wc -l < {input} > {output}"))
    made.task("compare", "cat {inputs} > {output}", after=checked, reduce=True)
    return made


def main() -> None:
    """Run it, look at its graph, and store a part of it anew."""
    workdir = sys.argv[1] if len(sys.argv) > 1 else "compare-work"
    production().run(workdir)

    graph = deft.to_networkx("compare", state=True, workdir=workdir)
    print("states:", dict(graph.nodes(data="state.state")))
    print("longest way:", " -> ".join(nx.dag_longest_path(graph)))
    print("after draw_signal:", *sorted(nx.descendants(graph, "draw_signal")))
    print("jobs:", sum(jobs for _, jobs in graph.nodes(data="state.jobs") if jobs))

    needed = nx.ancestors(graph, "check_signal") | {"check_signal"}
    part = deft.from_networkx(graph.subgraph(needed), name="signal")
    part.write(f"{workdir}/signal.graphml")
    print("part:", part.run(workdir).state)


if __name__ == "__main__":
    main()
