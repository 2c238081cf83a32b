#!/bin/sh
# One element of an array: the wrapper runs the attempt that the list names on the line of its index.
exec {python} -S -E {wrapper} --element {list} "$SLURM_ARRAY_TASK_ID"
