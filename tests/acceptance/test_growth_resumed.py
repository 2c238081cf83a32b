"""`deft run` again, after operators changed what is stored."""

from __future__ import annotations

from tests.acceptance.scene import Place, graph

MORE = """<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
<key id="n.command" for="node" attr.name="command" attr.type="string"/>
<key id="e.format" for="edge" attr.name="format" attr.type="string"/>
<graph edgedefault="directed"><node id="a"/><node id="b"/>
<node id="c"><data key="n.command">wc -l {input} > {output}</data></node>
<edge source="a" target="c"><data key="e.format">txt</data></edge></graph></graphml>"""


def test_a_run_goes_on_with_what_was_added(place: Place) -> None:
    tasks = {"a": "echo 1 > {output}", "b": "cat {inputs} > {output}"}
    path = graph(place.folder, tasks, [("a", "b")])
    assert place.run(path).returncode == 0
    (place.folder / "more.graphml").write_text(MORE, encoding="utf-8")
    place.ok("augment", "m", "--graph", str(place.folder / "more.graphml"))
    again = place.run(path)
    assert again.returncode == 0, again.stderr
    assert "it goes on as operators left it" in again.stderr
    assert "3 tasks" in again.stderr
    assert "default/m is done" in again.stdout


def test_a_file_that_nobody_but_its_author_changed_is_refused(place: Place) -> None:
    path = graph(place.folder, {"a": "echo 1 > {output}"})
    assert place.run(path).returncode == 0
    path.write_text(path.read_text(encoding="utf-8").replace("echo 1", "echo 2"), encoding="utf-8")
    again = place.run(path)
    assert again.returncode == 4
    assert "differs from what is given now" in again.stderr
