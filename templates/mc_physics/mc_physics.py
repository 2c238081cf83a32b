"""Z -> mu mu collisions from the generator Pythia 8, in the format of mc_chain.py:

    mc_physics.py evgen OUT --events N --jobs J --job K    generate the K-th of J parts of N collisions

Pythia's own random numbers begin anew with every event, from the seed and the event's number: as in
mc_chain.py it does not matter how the events are split into jobs. Needs `pip install 'deft[physics]'`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

import mc_chain
from mc_chain import HEAVIEST, LIGHTEST, Row

SETTINGS = (
    "Print:quiet = on",
    "Beams:idA = 2212",
    "Beams:idB = 2212",
    "WeakSingleBoson:ffbar2gmZ = on",
    "WeakZ0:gmZmode = 2",  # the Z alone, without the photon
    "23:onMode = off",
    "23:onIfAny = 13",
    f"PhaseSpace:mHatMin = {LIGHTEST}",
    f"PhaseSpace:mHatMax = {HEAVIEST}",
    # What a muon pair does not feel is left out: it costs nine tenths of the time.
    "PartonLevel:MPI = off",
    "HadronLevel:all = off",
    "Random:setSeed = on",
)
SEEDS = 900_000_000  # Pythia takes the numbers from 1 to this
TRIES = 20


def generator(energy: float, radiation: bool, seed: int) -> Any:
    """Pythia, ready to go."""
    try:
        pythia8 = importlib.import_module("pythia8mc")
    except ImportError as missing:
        sys.exit(f"This step needs the generator Pythia 8 ({missing}): pip install 'deft[physics]'")
    pythia = pythia8.Pythia("", False)
    photons = "on" if radiation else "off"
    for setting in (
        *SETTINGS,
        f"Beams:eCM = {energy}",
        f"TimeShower:QEDshowerByL = {photons}",
        f"Random:seed = {first_seed(seed)}",
    ):
        if not pythia.readString(setting):
            sys.exit(f"Pythia does not take the setting {setting!r}")
    if not pythia.init():
        sys.exit("Pythia cannot start with these settings")
    return pythia


def first_seed(seed: int) -> int:
    """The seed of event 0."""
    return 1 + int(mc_chain.uniforms(seed, "pythia", 0)[0] * SEEDS)


def generate(pythia: Any, event: int, seed: int) -> Row:
    """One collision: the mass of its Z, and charge and momentum of its two muons."""
    pythia.rndm.init(1 + (first_seed(seed) + event) % SEEDS)
    if not any(pythia.next() for _ in range(TRIES)):
        sys.exit(f"Pythia gave up on event {event} after {TRIES} tries")
    particles = [pythia.event[place] for place in range(pythia.event.size())]
    boson = next(particle for particle in particles if particle.id() == 23)
    muons = [particle for particle in particles if particle.isFinal() and abs(particle.id()) == 13]
    muons.sort(key=lambda muon: -muon.pT())
    rows = [[1 if muon.id() < 0 else -1, muon.px(), muon.py(), muon.pz()] for muon in muons[:2]]
    return {"event": event, "mass": boson.m(), "muons": rows}


def evgen_step(options: argparse.Namespace) -> None:
    """Generate one part of the events."""
    part = mc_chain.share(options.events, options.jobs, options.job)
    pythia = generator(options.energy, options.radiation == "true", options.seed)
    made = (generate(pythia, event, options.seed) for event in mc_chain.watched(part, len(part)))
    mc_chain.write_rows(options.out, made)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Z -> mu mu collisions from Pythia 8.")
    command = parser.add_subparsers(required=True).add_parser("evgen", help=evgen_step.__doc__)
    command.set_defaults(step=evgen_step)
    command.add_argument("out")
    mc_chain.add_options(command, "--events --jobs --job --seed")
    command.add_argument("--energy", type=mc_chain.size, default=13600.0, help="of both protons, GeV")
    command.add_argument(
        "--radiation", choices=("true", "false"), default="false", help="whether muons radiate photons"
    )
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run the step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
