"""One sweep shared by several workers: each takes the sources whose number falls to it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One of several parts of all sources.

    Examples
    --------
    >>> [number for number in range(7) if Part(1, of=3).holds(number)]
    [1, 4]
    """

    number: int = 0
    of: int = 1

    def holds(self, source_id: int) -> bool:
        """Tell whether a source belongs to this part."""
        return source_id % self.of == self.number


WHOLE = Part()
