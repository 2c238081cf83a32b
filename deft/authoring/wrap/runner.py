"""The small /bin/sh program that stands beside a wrapped Meta-Task, and the commands that call it.

It gives a script what it has under sbatch: the folder of the call, the index in its array, and those
variables of Slurm that its own directives imply. What Slurm has set already stays.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from deft.model.keys import Value
from deft.wire import placeholders

NAME = "run.sh"

TEXT = r"""#!/bin/sh
# Written by `deft wrap`. Runs a batch script, or one line of a list of commands, as one job.
#   run.sh -d FOLDER [-c FOLDER] [-a INDICES -n POSITION] [-e NAME=VALUE]... SCRIPT
#   run.sh -d FOLDER -l LIST -n LINE
# -d: where sbatch would have been called; -c: its --chdir; -a: its --array; -e: set unless it is set.
set -f
folder=. inner= array= position= list=
unset SLURM_ARRAY_TASK_ID SLURM_ARRAY_TASK_COUNT SLURM_ARRAY_TASK_STEP
unset SLURM_ARRAY_TASK_MIN SLURM_ARRAY_TASK_MAX
while getopts a:c:d:e:l:n: option; do
  case $option in
    a) array=$OPTARG ;;
    c) inner=$OPTARG ;;
    d) folder=$OPTARG ;;
    e) eval "[ \"\${${OPTARG%%=*}+set}\" ]" || export "$OPTARG" ;;
    l) list=$OPTARG ;;
    n) position=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))

while :; do  # 000008 would be octal
  case $position in 0?*) position=${position#0} ;; *) break ;; esac
done

# Go through the indices; sets count, min, max, and index where $1 is not above count.
look_up() {
  left=$1 count=0 min= max= step= index= IFS=,
  for part in $array; do
    case $part in *:*) step=${part#*:} ;; *) step=1 ;; esac
    range=${part%:*} first=${part%%[-:]*} last=${range#*-}
    size=$(((last - first) / step + 1))
    if [ "$left" -ge 1 ] && [ "$left" -le "$size" ]; then index=$((first + (left - 1) * step)); fi
    left=$((left - size)) count=$((count + size)) min=${min:-$first} max=$((first + (size - 1) * step))
  done
  unset IFS
}

go() {
  cd -- "$1" && return
  echo "run.sh: cannot go to $1; deft run FILE --set submit_dir=FOLDER names another one" >&2
  exit 1
}

go "$folder"
if [ -n "$list" ]; then
  interpreter=/bin/sh
  IFS= read -r first <"$list"
  case $first in '#!'*) interpreter=${first#??} position=$((position + 1)) ;; esac
  command=$(sed -n "${position}{p;q;}" "$list")
  [ -n "$command" ] || { echo "run.sh: $list has no line $position" >&2; exit 1; }
  exec $interpreter -c "$command"
fi

export SLURM_SUBMIT_DIR="$PWD"
if [ -z "$SLURM_JOB_ID" ]; then  # a number of its own for every attempt
  number=$(printf %s "$DEFT_ATTEMPT" | cksum)
  export SLURM_JOB_ID="${number%% *}"
  export SLURM_JOBID="$SLURM_JOB_ID"
fi
if [ -n "$array" ]; then
  look_up "$position"
  # The numbers of jobs go on after `deft reset`: any COUNT in a row are each index once.
  [ -n "$index" ] || look_up $(((position - 1) % count + 1))
  export SLURM_ARRAY_TASK_ID="$index" SLURM_ARRAY_TASK_COUNT="$count"
  export SLURM_ARRAY_TASK_MIN="$min" SLURM_ARRAY_TASK_MAX="$max" SLURM_ARRAY_TASK_STEP="$step"
  if [ -z "$SLURM_ARRAY_JOB_ID" ]; then  # one number for the whole array
    number=$(printf %s "$DEFT_TASK" | cksum)
    export SLURM_ARRAY_JOB_ID="${number%% *}"
  fi
fi
[ -z "$inner" ] || go "$inner"
IFS= read -r first <"$1"
case $first in
  '#!'*) exec ${first#??} "$@" ;;
  *) exec /bin/sh "$@" ;;
esac
"""

# Variables that sbatch sets where an option was given, by the setting that holds it.
_VARIABLES = {
    "resources.tasks": ("SLURM_NTASKS", "SLURM_NPROCS"),
    "resources.tasks_per_node": ("SLURM_NTASKS_PER_NODE",),
    "resources.cores": ("SLURM_CPUS_PER_TASK",),
    "resources.memory_mb": ("SLURM_MEM_PER_NODE",),
    "resources.partition": ("SLURM_JOB_PARTITION",),
    "resources.account": ("SLURM_JOB_ACCOUNT",),
}
_JOB_PLACE = re.compile(r"\{[A-Za-z_]\w*(?:\.[A-Za-z_][\w-]*)*\}")
SUBMIT_DIR, ARRAY, PLACE = "{param.submit_dir}", "{param.array}", "{unit.key}"


def variables(settings: Mapping[str, Value], job_name: str) -> dict[str, str]:
    """What the environment of a script says of its own request."""
    nodes = str(settings.get("resources.nodes", 1))
    found = {"SLURM_JOB_NAME": job_name, "SLURM_JOB_NUM_NODES": nodes, "SLURM_NNODES": nodes}
    for key, names in _VARIABLES.items():
        if key in settings:
            found |= dict.fromkeys(names, str(settings[key]))
    return found


def script_command(
    folder: str, script: str, *, variables: Mapping[str, str], chdir: str | None, array: bool
) -> str:
    """The command of a task that runs a script; a job of an array has its place by the key of its unit."""
    words = ["/bin/sh", _beside(folder, NAME), "-d", SUBMIT_DIR]
    words += ["-c", word(chdir)] if chdir else []
    words += ["-a", ARRAY, "-n", PLACE] if array else []
    for name, value in variables.items():
        words += ["-e", word(f"{name}={value}")]
    return " ".join([*words, _beside(folder, script)])


def list_command(folder: str, listed: str) -> str:
    """The command of a task that runs a line of a list in each job."""
    words: Sequence[str] = ("-d", SUBMIT_DIR, "-l", _beside(folder, listed), "-n", PLACE)
    return " ".join(["/bin/sh", _beside(folder, NAME), *words])


def _beside(folder: str, name: str) -> str:
    return "{template}/" + word(f"{folder}/{name}")


def word(text: str) -> str:
    """A text as one word of a command, in which no placeholder of a job is seen."""
    return _JOB_PLACE.sub(r"{\g<0>}", placeholders.quote(text))
