"""Plans of the statements that run for every report: made seldom, and for tables as they are."""

from typing import Any
from weakref import WeakKeyDictionary

# After this many runs on a connection a statement is planned once and for all: planning costs
# more than running it for one report. PostgreSQL would plan the arrays of each run anew, since it
# takes a plan for known lengths to be better; it is the same plan.
PREPARE_AFTER = 3
_PLAN_ONCE = "SET plan_cache_mode = force_generic_plan"
# What was planned for a table of one page reads the table whole, and would go on so until the next
# ANALYZE, which autovacuum may begin a minute later; by then it may be a thousand pages. A table
# grows no faster than what is written to it.
_PLAN_ANEW = "DISCARD PLANS"


class _Planning:
    """What ran on one connection, and how much more of it may run by the same plans [rows]."""

    __slots__ = ("rows", "until")

    def __init__(self) -> None:
        self.rows, self.until = 0, PREPARE_AFTER


_plannings: WeakKeyDictionary[Any, _Planning] = WeakKeyDictionary()


def plan_seldom(cursor: Any, rows: int) -> None:
    """What runs on the connection of this cursor is planned anew only when twice as many rows ran.

    Parameters
    ----------
    cursor : psycopg.Cursor
        Of a connection that may be new here.
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
