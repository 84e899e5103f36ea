"""Static thresholds for those who want them: read, refused with a reason, and tried on counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import category

from detection.scoring.wording import Sentence

STATUSES = ("approved", "denied", "failed", "reversed", "backend_reversed", "refunded")
LEVELS = ("NORMAL", "WARNING", "CRITICAL")
OPERATORS = ("<", "<=", ">", ">=")
LONGEST_WINDOW = 60
MOST_RULES = 20
FIELDS = ("name", "metric", "op", "value", "minutes", "level", "minimum_total")

# Which family an alarm of a rule belongs to, so that it joins the incident it is part of.
FAMILY_OF_STATUS = {
    "approved": "decline",
    "denied": "decline",
    "failed": "technical_failure",
    "backend_reversed": "technical_failure",
    "reversed": "reversal",
    "refunded": "reversal",
}
METRICS = (
    "approval_rate",
    "total",
    *STATUSES,
    *(f"{status}_share" for status in STATUSES),
)
STATUSES_TOLD = {
    "approved": "aprovadas",
    "denied": "negadas",
    "failed": "com falha",
    "reversed": "estornadas",
    "backend_reversed": "estornadas pelo backend",
    "refunded": "reembolsadas",
}
METRICS_TOLD = (
    Sentence("approval_rate", "taxa de aprovação"),
    Sentence("total", "total de transações"),
    *(Sentence(status, told) for status, told in STATUSES_TOLD.items()),
    *(Sentence(f"{status}_share", f"parte de {told}") for status, told in STATUSES_TOLD.items()),
)
VIOLATION = Sentence(
    "{name}: {metric} {value:.4g} {op} {limit:g} in {minutes:d} min",
    "{name}: {metric} {value} {op} {limit} em {minutes} min",
    metric=METRICS_TOLD,
)


class RuleError(ValueError):
    """A rule that cannot be understood; the message says which and why."""


@dataclass(frozen=True)
class Rule:
    """One threshold on the counts of the last minutes."""

    name: str
    metric: str
    op: str
    value: float
    minutes: int = 1
    level: str = "WARNING"
    # A share of very few transactions says nothing; rates are not tried below this total.
    minimum_total: float = 1.0

    @property
    def family(self) -> str:
        """The family its alarms belong to."""
        if self.metric == "total":
            return "volume_low" if self.op.startswith("<") else "volume_high"
        if self.metric == "approval_rate":
            return "decline"
        return FAMILY_OF_STATUS[self.metric.removesuffix("_share")]

    @property
    def is_rate(self) -> bool:
        """Whether it is about a part of the transactions, however many there are."""
        return self.metric.endswith(("_share", "_rate"))

    @property
    def wants_more(self) -> bool:
        """Whether it fires on too few transactions, so that each one missing counts."""
        return self.op.startswith("<") and not self.is_rate

    @property
    def status(self) -> str:
        """The status it speaks of; empty for the total."""
        if self.metric == "approval_rate":
            return "approved"
        return "" if self.metric == "total" else self.metric.removesuffix("_share")


def read_rules(value: object) -> tuple[Rule, ...]:
    """Read a list of mappings; the first fault is raised as RuleError."""
    if value in (None, ""):
        return ()
    if not isinstance(value, list):
        raise RuleError("rules must be a list")
    if len(value) > MOST_RULES:
        raise RuleError(f"at most {MOST_RULES} rules for one source")
    rules = tuple(_read_rule(one, number) for number, one in enumerate(value, 1))
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise RuleError(f"two rules are called {name}")
    return rules


def _read_rule(one: object, number: int) -> Rule:
    where = f"rule {number}"
    if not isinstance(one, Mapping):
        raise RuleError(f"{where} must be a mapping such as {{name, metric, op, value}}")
    name = one.get("name")
    if not isinstance(name, str) or not name or len(name) > 40:
        raise RuleError(f"{where} needs a name of 1 to 40 characters")
    # It is told in lines of text, and no database keeps a NUL in JSON.
    if any(category(letter) == "Cc" for letter in name):
        raise RuleError(f"{where} needs a name without line breaks and the like")
    where = f"rule {name}"
    unknown = set(one) - set(FIELDS)
    if unknown:
        raise RuleError(f"{where}: unknown field {sorted(map(str, unknown))[0]}")
    minutes = one.get("minutes", 1)
    if isinstance(minutes, bool) or not isinstance(minutes, int):
        raise RuleError(f"{where}: minutes must be a whole number")
    if not 1 <= minutes <= LONGEST_WINDOW:
        raise RuleError(f"{where}: minutes must be 1 to {LONGEST_WINDOW}")
    return Rule(
        name=name,
        metric=_one_of(one.get("metric"), METRICS, f"{where}: metric"),
        op=_one_of(one.get("op"), OPERATORS, f"{where}: op"),
        value=_number(one.get("value"), f"{where}: value"),
        minutes=minutes,
        level=_one_of(one.get("level", "WARNING"), LEVELS[1:], f"{where}: level"),
        minimum_total=_number(one.get("minimum_total", 1), f"{where}: minimum_total"),
    )


def _one_of(value: object, known: Sequence[str], where: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise RuleError(f"{where} must be one of {', '.join(known)}")
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e15:
        raise RuleError(f"{where} must be a number")
    if value < 0:
        raise RuleError(f"{where} must be at least 0")
    return float(value)


def measure(metric: str, seen: Sequence[float], minimum_total: float = 1.0) -> float | None:
    """Value of a metric over a window.

    Parameters
    ----------
    seen : sequence of 6
        Transactions by status in the window, in the order of STATUSES.
    minimum_total : float
        Rates of fewer transactions are None: unknown, not zero.

    Examples
    --------
    >>> measure("approval_rate", [80, 15, 5, 0, 0, 0])
    0.8
    >>> measure("approval_rate", [0, 0, 0, 0, 0, 0]) is None
    True
    """
    total = float(sum(seen))
    if metric == "total":
        return total
    if metric in STATUSES:
        return float(seen[STATUSES.index(metric)])
    if total < max(minimum_total, 1.0):
        return None
    status = "approved" if metric == "approval_rate" else metric.removesuffix("_share")
    return float(seen[STATUSES.index(status)]) / total


def broken(rule: Rule, seen: Sequence[float]) -> str | None:
    """The violation in words, or None when the rule holds or cannot be told."""
    value = measure(rule.metric, seen, rule.minimum_total)
    if value is None:
        return None
    fires = {
        "<": value < rule.value,
        "<=": value <= rule.value,
        ">": value > rule.value,
        ">=": value >= rule.value,
    }[rule.op]
    if not fires:
        return None
    return VIOLATION.say(
        name=rule.name,
        metric=rule.metric,
        value=value,
        op=rule.op,
        limit=rule.value,
        minutes=rule.minutes,
    )
