"""A backtest drawn as SVG, by hand: one strip for each source."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

from detection.clock import moment_of
from detection.episodes import Episode, Window

WIDTH, LEFT, RIGHT = 960, 60, 12
STRIP, PLOT, LANE = 150, 90, 12
HEAD = 34
COLOURS = {"CRITICAL": "#c62828", "WARNING": "#ef8f00"}
LABEL_COLOURS = {"incident": "#1565c0", "noise": "#757575", "expected": "#2e7d32"}
OTHER_LABEL = "#6a1b9a"
STYLE = (
    "text{font:11px sans-serif;fill:#333}.seen{fill:none;stroke:#37474f;stroke-width:1.2}"
    ".meant{fill:none;stroke:#90a4ae;stroke-width:1;stroke-dasharray:3 2}.axis{stroke:#cfd8dc}"
)


@dataclass
class SourceChart:
    """Seen and expected volume of one source, averaged over steps of minutes."""

    first: int
    step: int
    seen: dict[int, list[float]] = field(default_factory=dict)

    def add(self, minute: int, total: float, expected: float) -> None:
        """Add one minute [transactions]."""
        cell = self.seen.setdefault((minute - self.first) // self.step, [0.0, 0.0, 0.0])
        cell[0] += total
        cell[1] += expected
        cell[2] += 1

    def column(self, index: int) -> list[tuple[int, float]]:
        """(minute, mean per minute): index 0 what was seen, 1 what was expected."""
        return [
            (self.first + place * self.step, cell[index] / cell[2])
            for place, cell in sorted(self.seen.items())
        ]


Strip = tuple[str, SourceChart, Sequence[Episode], Sequence[Window]]


def draw(strips: Sequence[Strip], first: int, last: int) -> str:
    """The strips below each other, over one time axis."""
    height = HEAD + STRIP * max(len(strips), 1) + 20
    scale = (WIDTH - LEFT - RIGHT) / max(last - first + 1, 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>Backtest {moment_of(first):%Y-%m-%d %H:%M} to "
        f"{moment_of(last + 1):%Y-%m-%d %H:%M} UTC</title>",
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="{LEFT}" y="16">transactions a minute: seen (line), expected (dashed); alarms '
        "in red and orange, labels below</text>",
    ]
    for place, strip in enumerate(strips):
        parts += _strip(strip, HEAD + place * STRIP, first, scale)
    parts += _axis(first, last, height, scale)
    return "".join([*parts, "</svg>"])


def _strip(strip: Strip, top: int, first: int, scale: float) -> list[str]:
    name, chart, episodes, windows = strip
    seen, meant = chart.column(0), chart.column(1)
    highest = max([value for _, value in (*seen, *meant)], default=1.0) or 1.0
    bottom = top + PLOT

    def points(column: Sequence[tuple[int, float]]) -> str:
        return " ".join(
            f"{LEFT + (minute - first) * scale:.1f},{bottom - value / highest * PLOT:.1f}"
            for minute, value in column
        )

    parts = [
        f'<text x="{LEFT}" y="{top - 4}" font-weight="bold">{escape(name)}</text>',
        f'<text x="{LEFT - 6}" y="{top + 8}" text-anchor="end">{highest:.4g}</text>',
        f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>',
        f'<polyline class="meant" points="{points(meant)}"/>',
        f'<polyline class="seen" points="{points(seen)}"/>',
    ]
    for one in episodes:
        level = "CRITICAL" if one.paged is not None else "WARNING"
        title = f"{level} {one.family}: {one.reason}"
        spot = (one.first, one.last, bottom + 6)
        parts.append(_bar(spot, first, scale, COLOURS[level], title))
    for window in windows:
        colour = LABEL_COLOURS.get(window.kind, OTHER_LABEL)
        title = f"{window.kind} {window.family}"
        parts.append(
            _bar((window.first, window.last, bottom + 6 + LANE), first, scale, colour, title)
        )
    return parts


def _bar(spot: tuple[int, int, int], first: int, scale: float, colour: str, title: str) -> str:
    begin, end, y = spot
    left = LEFT + max(begin - first, 0) * scale
    width = max((end - max(begin, first) + 1) * scale, 1.5)
    return (
        f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="{LANE - 3}" fill="{colour}">'
        f"<title>{escape(title)}</title></rect>"
    )


def _axis(first: int, last: int, height: int, scale: float) -> list[str]:
    span = last - first + 1
    step = next((one for one in (60, 180, 360, 720, 1440, 2880) if span / one <= 12), 10080)
    begin = -(-first // step) * step
    form = "%d %b" if step >= 1440 else "%d %b %H:%M"
    return [
        f'<text x="{LEFT + (minute - first) * scale:.1f}" y="{height - 6}" '
        f'text-anchor="middle">{moment_of(minute):{form}}</text>'
        for minute in range(begin, last + 1, step)
    ]
