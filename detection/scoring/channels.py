"""What was counted and what was expected in one minute, side by side for every channel."""

from dataclasses import dataclass

import numpy as np

from detection.scoring.designs import DRIFT_BELOW, FIRST_RATE
from detection.scoring.dispersion import Dispersion
from detection.scoring.minutes import Counts
from detection.scoring.outlook import Outlook
from detection.scoring.series import RATES, Bools, Floats, rate_counts


@dataclass(frozen=True)
class Channels:
    """One minute by channel, every array (S, C) in the order of designs.CHANNELS.

    Attributes
    ----------
    seen : transactions counted
    meant : transactions expected, as the tests measure it
    centre : transactions expected without leaning to either side, for the dispersion
    width : the dispersions
    share : (S, 14) expected share of each rate series
    routine : (S, 14) how many times its usual share that is
    basis : (S,) transactions of which the shares are expected
    """

    seen: Floats
    meant: Floats
    centre: Floats
    width: Dispersion
    share: Floats
    routine: Floats
    basis: Floats


def read_channels(outlook: Outlook, counts: Counts, closed: Bools) -> Channels:
    """Lay out the minute; rates are expected as shares of the total seen in the same minute.

    Of a minute still filling the denials may come before the rest: there they are held against as
    many transactions as the whole minute should have.
    """
    total = np.add.reduce(counts.status, axis=1)
    expectation, share = outlook.expectation, outlook.share
    seen = np.empty((len(total), FIRST_RATE + RATES))
    meant = np.empty_like(seen)
    seen[:, :FIRST_RATE] = total[:, None]
    seen[:, FIRST_RATE:] = rate_counts(counts.status, counts.code)
    # a source that never reports zeros says "no transactions" by saying nothing
    visible = np.where(counts.reported, 1.0, outlook.habits.mute)
    meant[:, :FIRST_RATE] = outlook.volume * visible[:, None]
    basis = np.where(closed, total, np.maximum(total, expectation.fast))
    meant[:, FIRST_RATE:] = share * basis[:, None]
    centre = meant.copy()
    centre[:, :DRIFT_BELOW] = (expectation.fast * visible)[:, None]
    centre[:, DRIFT_BELOW] = expectation.slow * visible
    return Channels(seen, meant, centre, outlook.widths.at(meant), share, outlook.routine, basis)
