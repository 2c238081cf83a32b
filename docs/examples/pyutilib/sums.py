"""Two small PyUtilib workflows: one task that adds, and two tasks joined by a connector.

deft import --from-pyutilib sums:chain --set x=1 --set y=3
"""

import pyutilib.workflow


class Add(pyutilib.workflow.Task):
    """z = x + y"""

    def __init__(self, *args, **kwds):
        super().__init__(*args, **kwds)
        self.inputs.declare("x", doc="the first number")
        self.inputs.declare("y", doc="the second number")
        self.outputs.declare("z")

    def execute(self):
        self.z = self.x + self.y


class Next(pyutilib.workflow.Task):
    """Z = X + 1"""

    def __init__(self, *args, **kwds):
        super().__init__(*args, **kwds)
        self.inputs.declare("X")
        self.outputs.declare("Z")

    def execute(self):
        self.Z = self.X + 1


def one():
    """A workflow of one task: x = 1 and y = 3 make z = 4."""
    workflow = pyutilib.workflow.Workflow()
    workflow.add(Add(name="A"))
    return workflow


def chain():
    """A workflow of two tasks: A computes z, B takes it as X; x = 1 and y = 3 make Z = 5."""
    a, b = Add(name="A"), Next(name="B")
    b.inputs.X = a.outputs.z
    workflow = pyutilib.workflow.Workflow()
    workflow.add(a)
    return workflow
