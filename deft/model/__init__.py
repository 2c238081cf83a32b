"""The pure model: tasks, datasets, the Meta-Task as a graph and the net. No I/O, no SQL, no clock."""
