"""Plans of the statements that run for every report: made seldom, and for tables as they are."""

from typing import Any
from weakref import WeakKeyDictionary

# After this many runs on a connection a statement keeps its plan, because planning costs more than
# running it for one report. Left alone, PostgreSQL would plan it anew for the array lengths of each
# run, and come to the same plan.
PREPARE_AFTER = 3
_PLAN_ONCE = "SET plan_cache_mode = force_generic_plan"
# A plan made while a table has one page reads the whole table, and would do so until the next
# ANALYZE, which autovacuum may begin a minute later; by then it may have a thousand pages. So plans
# are made anew whenever the rows written on the connection have doubled.
_PLAN_ANEW = "DISCARD PLANS"


class _Planning:
    """Rows written on one connection, and the number at which its plans are made anew."""

    __slots__ = ("rows", "until")

    def __init__(self) -> None:
        self.rows, self.until = 0, PREPARE_AFTER


_plannings: WeakKeyDictionary[Any, _Planning] = WeakKeyDictionary()


def plan_seldom(cursor: Any, rows: int) -> None:
    """Plans of the cursor's connection are kept until twice as many rows were written on it.

    Parameters
    ----------
    cursor : psycopg.Cursor
        Its connection may be one that was never seen here.
    rows : int
        How many rows the next statement brings.
    """
    planning = _plannings.get(cursor.connection)
    if planning is None:
        cursor.execute(_PLAN_ONCE)
        cursor.connection.prepare_threshold = PREPARE_AFTER
        planning = _plannings[cursor.connection] = _Planning()
    elif planning.rows >= planning.until:
        cursor.execute(_PLAN_ANEW)
        planning.until = 2 * planning.rows
    planning.rows += rows
