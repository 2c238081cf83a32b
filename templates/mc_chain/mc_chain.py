"""Z -> mu mu from the generator to the fitted peak. Standard library only. The steps of the template:

    mc_chain.py evgen OUT --events N --jobs J --job K    generate the K-th of J parts of N collisions
    mc_chain.py simul IN OUT                             what a detector measures of the muons
    mc_chain.py reco IN OUT                              select muon pairs, compute their mass
    mc_chain.py merge LIST OUT                           one histogram of the files in LIST, a path a line
    mc_chain.py plot HISTOGRAM CHART FIT                 fit the peak, draw it, write the numbers
    mc_chain.py all DIR --events N                       all of it in this one process, without files between

A random number depends on the seed, the step and the number of the event alone. So it does not matter how
the events are split into jobs: any number of jobs, and `all`, give the same histogram to the last event.
Files between the steps are JSON lines, one an event. Energies are in GeV, angles in rad.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from hashlib import blake2b
from math import asinh, atan, atan2, cos, cosh, hypot, inf, pi, sin, sinh, sqrt, tan
from statistics import NormalDist
from struct import Struct
from typing import Any, NamedTuple, TypeVar

import peak

MASS, WIDTH = 91.19, 2.495  # of the generated Z
LIGHTEST, HEAVIEST = 50.0, 130.0  # a Z is generated between
MUON_MASS = 0.105658
PT_SCALE, PT_POWER = 12.0, 2.6  # transverse momentum of the Z: (1 + pT^2 / scale^2) ^ -power
RAPIDITY_SPREAD = 1.5
EFFICIENCY, REACH = 0.98, 2.7  # of a muon that the detector can see, and how far forward it sees
ANGLE_RESOLUTION = 0.0005

Row = dict[str, Any]  # one event, or what was found in all of them
Item = TypeVar("Item")


# Random numbers


_EIGHT = Struct("<8Q")
_normal = NormalDist().inv_cdf


def uniforms(seed: int, step: str, event: int) -> tuple[float, ...]:
    """Eight numbers between 0 and 1, both left out: a function of its arguments and of nothing else."""
    digest = blake2b(f"{seed}:{step}:{event}".encode()).digest()
    return tuple([((word >> 12) + 0.5) * 2.0**-52 for word in _EIGHT.unpack(digest)])


# Generator: a Z boson and the two muons it decays to


class Momentum(NamedTuple):
    """Energy and momentum."""

    e: float
    px: float
    py: float
    pz: float


def generate(event: int, seed: int) -> Row:
    """One collision: the mass of its Z, and charge and momentum of its two muons."""
    shape, transverse, forward, azimuth, polar, around, _, _ = uniforms(seed, "evgen", event)
    mass = breit_wigner(shape)
    boson = moving(
        mass,
        pt=PT_SCALE * sqrt((1.0 - transverse) ** (-1.0 / (PT_POWER - 1.0)) - 1.0),
        rapidity=RAPIDITY_SPREAD * _normal(forward),
        phi=2.0 * pi * azimuth,
    )
    muon, antimuon = decay(boson, mass, cos_theta=2.0 * polar - 1.0, phi=2.0 * pi * around)
    return {"event": event, "mass": mass, "muons": [[-1, *muon[1:]], [1, *antimuon[1:]]]}


def breit_wigner(u: float) -> float:
    """The mass below which the part u of all bosons lies."""
    low, high = (atan(2.0 * (edge - MASS) / WIDTH) for edge in (LIGHTEST, HEAVIEST))
    return MASS + WIDTH / 2.0 * tan(low + u * (high - low))


def moving(mass: float, pt: float, rapidity: float, phi: float) -> Momentum:
    """The momentum of a particle that flies so."""
    transverse_mass = hypot(mass, pt)
    return Momentum(
        transverse_mass * cosh(rapidity), pt * cos(phi), pt * sin(phi), transverse_mass * sinh(rapidity)
    )


def decay(boson: Momentum, mass: float, cos_theta: float, phi: float) -> tuple[Momentum, Momentum]:
    """Two muons, back to back where the boson rests, seen from where it moves."""
    p, sin_theta = sqrt(mass * mass / 4.0 - MUON_MASS * MUON_MASS), sqrt(1.0 - cos_theta * cos_theta)
    x, y, z = p * sin_theta * cos(phi), p * sin_theta * sin(phi), p * cos_theta
    return (
        boosted(Momentum(mass / 2.0, x, y, z), boson, mass),
        boosted(Momentum(mass / 2.0, -x, -y, -z), boson, mass),
    )


def boosted(inner: Momentum, frame: Momentum, mass: float) -> Momentum:
    """A momentum in the rest frame of a particle, seen from where that particle has the momentum `frame`."""
    along = frame.px * inner.px + frame.py * inner.py + frame.pz * inner.pz
    part = (inner.e + along / (frame.e + mass)) / mass
    return Momentum(
        (frame.e * inner.e + along) / mass,
        inner.px + part * frame.px,
        inner.py + part * frame.py,
        inner.pz + part * frame.pz,
    )


# Detector


def simulate(made: Row, seed: int, resolution: float) -> Row:
    """The tracks the detector finds: charge, transverse momentum, pseudorapidity, azimuth of each."""
    event = made["event"]
    dice = uniforms(seed, "simul", event)
    seen = (
        measured(muon, dice[4 * number : 4 * number + 4], resolution)
        for number, muon in enumerate(made["muons"][:2])
    )
    return {"event": event, "tracks": [track for track in seen if track is not None]}


def measured(muon: Sequence[float], dice: Sequence[float], resolution: float) -> list[float] | None:
    """One muon as it is measured: the curvature of its track, charge / pT, has a Gaussian error."""
    charge, px, py, pz = muon
    pt = hypot(px, py)
    eta = asinh(pz / pt)
    if dice[0] > EFFICIENCY or abs(eta) > REACH:
        return None
    curvature = charge / pt * (1.0 + resolution * _normal(dice[1]))
    return [
        1 if curvature > 0.0 else -1,
        1.0 / abs(curvature),
        eta + ANGLE_RESOLUTION * _normal(dice[2]),
        atan2(py, px) + ANGLE_RESOLUTION * _normal(dice[3]),
    ]


# Reconstruction and selection


def reconstruct(seen: Row, min_pt: float, max_eta: float) -> Row:
    """The mass of the muon pair, or the first cut that the event did not pass."""
    event, tracks = seen["event"], seen["tracks"]
    if len(tracks) != 2:
        return {"event": event, "cut": "two tracks"}
    (charge, pt, eta, phi), (other_charge, other_pt, other_eta, other_phi) = tracks
    if charge == other_charge:
        return {"event": event, "cut": "opposite charges"}
    if min(pt, other_pt) < min_pt:
        return {"event": event, "cut": "transverse momentum"}
    if max(abs(eta), abs(other_eta)) > max_eta:
        return {"event": event, "cut": "pseudorapidity"}
    mass = sqrt(2.0 * pt * other_pt * (cosh(eta - other_eta) - cos(phi - other_phi)))
    return {"event": event, "mass": mass}


def histogram(rows: Iterable[Row], bins: int) -> Row:
    """How many pairs have which mass, and how many events did not pass which cut."""
    low, high = peak.WINDOW
    counts = [0] * bins
    cuts: Counter[str] = Counter()
    events = selected = 0
    for row in rows:
        events += 1
        if "mass" not in row:
            cuts[row["cut"]] += 1
            continue
        selected += 1
        place = int((row["mass"] - low) / (high - low) * bins)
        if low <= row["mass"] and place < bins:
            counts[place] += 1
    cut = dict(sorted(cuts.items()))
    return {"events": events, "cut": cut, "selected": selected, "low": low, "high": high, "counts": counts}


# Steps


def evgen_step(options: argparse.Namespace) -> None:
    """Generate one part of the events."""
    part = share(options.events, options.jobs, options.job)
    write_rows(options.out, (generate(event, options.seed) for event in watched(part, len(part))))


def share(events: int, jobs: int, job: int) -> range:
    """The events of a job; those of all jobs together are 0, 1, 2 … each once."""
    return range((job - 1) * events // jobs, job * events // jobs)


def simul_step(options: argparse.Namespace) -> None:
    """Measure the muons of one file."""
    made = watched_rows(options.source)
    write_rows(options.out, (simulate(row, options.seed, options.resolution) for row in made))


def reco_step(options: argparse.Namespace) -> None:
    """Select the muon pairs of one file."""
    seen = watched_rows(options.source)
    write_rows(options.out, (reconstruct(row, options.min_pt, options.max_eta) for row in seen))


def merge_step(options: argparse.Namespace) -> None:
    """Fill one histogram from all files."""
    with open(options.list, encoding="utf-8", errors="surrogateescape") as stream:
        paths = [line.rstrip("\n") for line in stream if line.strip()]
    rows = (row for path in watched(paths, len(paths)) for row in read_rows(path))
    write_json(options.out, histogram(rows, options.bins))


def plot_step(options: argparse.Namespace) -> None:
    """Fit the peak of a histogram and draw it."""
    with open(options.histogram, encoding="utf-8") as stream:
        finish(json.load(stream), options.resolution, options.chart, options.fit)


def all_step(options: argparse.Namespace) -> None:
    """All steps in one process."""
    os.makedirs(options.folder, exist_ok=True)
    made = (generate(event, options.seed) for event in watched(range(options.events), options.events))
    seen = (simulate(row, options.seed, options.resolution) for row in made)
    found = histogram((reconstruct(row, options.min_pt, options.max_eta) for row in seen), options.bins)
    histogram_file, chart, fit = (
        os.path.join(options.folder, name) for name in ("histogram.json", "peak.svg", "fit.json")
    )
    write_json(histogram_file, found)
    finish(found, options.resolution, chart, fit)


def finish(found: Row, resolution: float, chart: str, fit: str) -> None:
    """Fit, draw, and say what came out."""
    # Two muons of the same relative error: the mass of the pair has it divided by the root of two.
    sigma = MASS * resolution / sqrt(2.0)
    fitted = peak.fit(found["counts"], sigma)
    with open(chart, "w", encoding="utf-8") as stream:
        stream.write(peak.chart(found, fitted, sigma))
    passed = {name: found[name] for name in ("events", "selected", "cut")}
    write_json(fit, {"fit": fitted and fitted._asdict(), "resolution": sigma, **passed})
    print(peak.sentence(fitted))


# Files and progress


def read_rows(path: str) -> Iterator[Row]:
    """The events of a file."""
    with open(path, encoding="utf-8") as stream:
        for line in stream:
            yield json.loads(line)


def watched_rows(path: str) -> Iterator[Row]:
    """The same, and the progress of the step."""
    with open(path, "rb") as stream:
        total = sum(1 for _ in stream)
    return watched(read_rows(path), total)


def watched(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items; how many of them are done is told in the file $DEFT_PROGRESS, where there is one."""
    every = max(1, total // 20)
    for done, item in enumerate(items):
        if done % every == 0:
            tell(done, total)
        yield item
    tell(total, total)


def tell(done: int, total: int) -> None:
    """Write one line of progress. Where that fails the work goes on."""
    path = os.environ.get("DEFT_PROGRESS")
    if path:
        with suppress(OSError), open(path, "a", encoding="utf-8") as stream:
            stream.write(f"{done} {total}\n")


def write_rows(path: str, rows: Iterable[Row]) -> None:
    """Write events, one a line."""
    encode = json.JSONEncoder(separators=(",", ":")).encode
    with open(path, "w", encoding="utf-8") as stream:
        stream.writelines(encode(row) + "\n" for row in rows)


def write_json(path: str, value: Any) -> None:
    """Write a value as JSON."""
    with open(path, "w", encoding="utf-8") as stream:
        json.dump(value, stream, indent=1)
        stream.write("\n")


# The command line


def count(text: str) -> int:
    """A whole number from 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is below 1")
    return number


def size(text: str) -> float:
    """A number from 0."""
    number = float(text)
    if not 0.0 <= number < inf:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


OPTIONS: dict[str, tuple[Callable[[str], float], float | None, str]] = {
    "--events": (count, None, "collisions in all jobs together"),
    "--jobs": (count, 1, "parts they are generated in"),
    "--job": (count, 1, "which part this is, from 1"),
    "--seed": (int, 1, "where the random numbers begin"),
    "--resolution": (size, 0.01, "relative error of a muon's transverse momentum"),
    "--min-pt": (size, 20.0, "least transverse momentum of a muon, GeV"),
    "--max-eta": (size, 2.4, "largest pseudorapidity of a muon, forward or backward"),
    "--bins": (count, 60, "bins of the histogram"),
}


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description="Z -> mu mu, from the generator to the fitted peak.")
    steps = parser.add_subparsers(required=True)
    for name, step, places, options in (
        ("evgen", evgen_step, "out", "--events --jobs --job --seed"),
        ("simul", simul_step, "source out", "--seed --resolution"),
        ("reco", reco_step, "source out", "--min-pt --max-eta"),
        ("merge", merge_step, "list out", "--bins"),
        ("plot", plot_step, "histogram chart fit", "--resolution"),
        ("all", all_step, "folder", "--events --seed --resolution --min-pt --max-eta --bins"),
    ):
        command = steps.add_parser(name, help=step.__doc__)
        command.set_defaults(step=step)
        for place in places.split():
            command.add_argument(place)
        add_options(command, options)
    return parser


def add_options(command: argparse.ArgumentParser, names: str) -> None:
    """Give a step these of the options."""
    for name in names.split():
        kind, default, about = OPTIONS[name]
        command.add_argument(name, type=kind, default=default, required=default is None, help=about)


def main(words: Sequence[str] | None = None) -> int:
    """Run one step."""
    options = arguments().parse_args(words)
    options.step(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
