"""Failures of kinds the harness does not have: `python -m detection.bench.other_kinds --stress`.

The detector was tuned on the harness's kinds; these say whether it sees more than those. They lie
in the harness's streams and are counted by its metrics: what can be proved must be found, and what
is paged outside of them is false, also what is paged because one of them is over.
"""

from collections.abc import Callable

import numpy as np

from detection.bench import harness, lockstep
from detection.bench.suites import parser
from detection.bench.tables import tell
from detection.scoring.series import Floats

# The series of a stream of the harness, (10, minutes) [transactions a minute].
APPROVED, CODES, FAILED, REVERSED, BACKEND, REFUNDED = 0, slice(1, 6), 6, 7, 8, 9
CODE_51, CODE_59, CODE_05, CODE_14, CODE_91 = range(1, 6)
# What came in each minute, and how it was drawn -> what comes while it fails.
Change = Callable[[Floats, np.random.Generator], Floats]


def _times(factor: float | Callable[[int], Floats]) -> Change:
    """All of the traffic so many times, or so many times in each minute of the failure."""

    def change(rate: Floats, random: np.random.Generator) -> Floats:
        return rate * (factor(rate.shape[1]) if callable(factor) else factor)

    return change


def _moved(part: float | Callable[[int], Floats], *targets: int) -> Change:
    """A part of the approved goes to other series, to each as much."""

    def change(rate: Floats, random: np.random.Generator) -> Floats:
        moved = rate[APPROVED] * (part(rate.shape[1]) if callable(part) else part)
        out = rate.copy()
        out[list(targets)] += moved / len(targets)
        out[APPROVED] -= moved
        return out

    return change


def _every(period: int, low: int, factor: float) -> Callable[[int], Floats]:
    """Of every so many minutes the first few have this factor."""
    return lambda minutes: np.where(np.arange(minutes) % period < low, factor, 1.0)


def _backlog(minutes: int) -> Floats:
    """Two thirds of the time nearly nothing, then all of it at once."""
    stuck = minutes * 2 // 3
    late = 1 + 0.9 * stuck / (minutes - stuck)
    return np.where(np.arange(minutes) < stuck, 0.1, late)


def _code_vanishes(rate: Floats, random: np.random.Generator) -> Floats:
    out, code = rate.copy(), int(random.integers(CODE_51, CODE_05))
    out[APPROVED] += out[code]
    out[code] = 0
    return out


def _codes_swap(rate: Floats, random: np.random.Generator) -> Floats:
    out = rate.copy()
    out[CODE_59] += out[CODE_51]
    out[CODE_51] = 0
    return out


def _rare_code_takes_over(rate: Floats, random: np.random.Generator) -> Floats:
    out, taken = rate.copy(), 0.6 * rate[CODES].sum(0)
    out[CODES] *= 0.4
    out[CODE_91] += taken
    return out


def _nothing_denied(rate: Floats, random: np.random.Generator) -> Floats:
    out = rate.copy()
    out[APPROVED] += out[CODES].sum(0)
    out[CODES] = 0
    return out


def _cards_tested(rate: Floats, random: np.random.Generator) -> Floats:
    out = rate.copy()
    out[CODE_14] += rate.sum(0) * random.uniform(0.15, 0.5)
    return out


def _refunds(rate: Floats, random: np.random.Generator) -> Floats:
    out = rate.copy()
    out[REFUNDED] += np.maximum(out[REFUNDED] * 4, 0.03 * rate.sum(0))
    return out


# Kind -> minutes it lasts, from and to, and what it does.
KINDS: dict[str, tuple[tuple[int, int], Change]] = {
    "every other minute": ((12, 60), _times(_every(2, 1, 0.4))),
    "three minutes of six": ((12, 60), _times(_every(6, 3, 0.02))),
    "retries in bursts": ((20, 60), _times(_every(10, 1, 5.0))),
    "backlog": ((15, 60), _times(_backlog)),
    "surge that grows": ((20, 60), _times(lambda minutes: np.linspace(1, 3, minutes))),
    "half as much again": ((15, 60), _times(1.65)),
    "loss in steps": ((20, 90), _times(lambda n: np.repeat([0.8, 0.6, 0.4], n // 3 + 1)[:n])),
    "none approved": ((8, 45), _moved(1.0, CODE_91)),
    "half fail": ((5, 40), _moved(0.5, FAILED)),
    "failures that grow": ((40, 120), _moved(lambda n: np.linspace(0, 0.06, n), FAILED)),
    "fail and are taken back": ((10, 60), _moved(0.09, FAILED, REVERSED, BACKEND)),
    "a tenth reversed": ((10, 60), _moved(0.1, REVERSED)),
    "one minute of five": ((20, 60), _moved(lambda n: 0.4 * (np.arange(n) % 5 == 0), CODE_51)),
    "cards tested": ((10, 60), _cards_tested),
    "code vanishes": ((30, 120), _code_vanishes),
    "codes swap": ((20, 90), _codes_swap),
    "rare code takes over": ((15, 60), _rare_code_takes_over),
    "nothing denied": ((20, 90), _nothing_denied),
    "refunds": ((15, 60), _refunds),
}


def main() -> None:
    """Print the harness's tables for both kinds of traffic."""
    options = parser("python -m detection.bench.other_kinds", __doc__).parse_args()
    generator, metrics, table = harness.load(options.bench_dir)
    generator.EXTRA.update(KINDS)
    for traffic in ["plain", "stress"] if options.stress else ["plain"]:
        streams = [
            generator.make_stream(seed, number, kinds=list(KINDS), stress=traffic == "stress")
            for seed in options.seeds
            for number in range(len(generator.PROFILES))
        ]
        print(f"\n## other kinds, {traffic}: {len(streams)} streams\n")
        tell(streams, lockstep.run(lockstep.without_truth(streams)), metrics, table)


if __name__ == "__main__":
    main()
