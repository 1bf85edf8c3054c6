"""Small pictures drawn by the server: where each point stands, for templates that write SVG."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.technology.domain.tco import Sensitivity

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 160, 4, 22, 24
LETTER = 6.6  # how wide a letter of a label is at most times


@dataclass(frozen=True)
class Mark:
    """One value of a picture: where it stands, and what it says."""

    x: float
    y: float
    text: str
    label: str
    width: float = 0
    height: float = 0

    @property
    def middle(self) -> float:
        """The middle of a bar."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Chart:
    """A picture: its size, its line, its marks, and the same in words."""

    width: int
    height: int
    base: float
    line: str
    marks: tuple[Mark, ...]
    words: str


def whole(value: Decimal | float) -> str:
    """Return an amount at a mark of a picture: grouped, and without coins, which no picture shows."""
    return f"{value:,.0f}"


def step_chart(points: Sequence[tuple[dt.date, Decimal]], *, until: dt.date) -> Chart | None:
    """Return the picture of prices that hold from a day until the next one; None with fewer than two."""
    if len(points) < 2:  # one price makes no picture
        return None
    first, last = points[0][0], max(until, points[-1][0] + dt.timedelta(days=30))
    span, top = (last - first).days or 1, max(value for _, value in points) or Decimal(1)
    base = HEIGHT - BOTTOM

    def x(day: dt.date) -> float:
        return round(LEFT + (WIDTH - 2 * LEFT) * (day - first).days / span, 1)

    def y(value: Decimal) -> float:
        return round(base - (base - TOP) * float(value / top), 1)

    ends = [day for day, _ in points[1:]] + [last]
    path = f"M{x(first)} {y(points[0][1])}"
    for (_, value), end in zip(points, ends, strict=True):
        path += f" V{y(value)} H{x(end)}"
    marks = tuple(Mark(x(day), y(value), whole(value), f"{day:%b %Y}") for day, value in points)
    words = "; ".join(f"{whole(value)} a year from {day:%-d %B %Y}" for day, value in points)
    return Chart(WIDTH, HEIGHT, base, path, marks, words)


def _short(label: str, slot: float) -> str:
    """Return as much of a label as fits under its bar."""
    most = max(int(slot / LETTER), 3)
    return label if len(label) <= most else f"{label[: most - 1].rstrip()}…"


def bar_chart(bars: Sequence[tuple[str, Decimal | float]], *, unit: str = "") -> Chart | None:
    """Return the picture of values side by side; None without any."""
    if not bars:
        return None
    top = max(float(value) for _, value in bars) or 1
    base, slot = HEIGHT - BOTTOM, (WIDTH - 2 * LEFT) / len(bars)
    marks = []
    for number, (label, value) in enumerate(bars):
        height = round((base - TOP) * float(value) / top, 1)
        x = round(LEFT + number * slot + slot * 0.12, 1)
        marks.append(
            Mark(
                x,
                round(base - height, 1),
                f"{whole(value)}{unit}",
                _short(label, slot),
                width=round(slot * 0.76, 1),
                height=height,
            )
        )
    words = "; ".join(f"{label}: {whole(value)}{unit}" for label, value in bars)
    return Chart(WIDTH, HEIGHT, base, "", tuple(marks), words)


ROW, NAME, PAD = 30, 120, 8


def tornado(sensed: Sensitivity) -> Chart | None:
    """Return the picture of what each driver does to the total: a bar per driver, widest on top; None without cost."""
    if not sensed.total:
        return None
    low = min([swing.low for swing in sensed.swings])
    high = max([swing.high for swing in sensed.swings])
    span = float(high - low) or 1.0
    room = WIDTH - NAME - 2 * PAD

    def x(value: Decimal) -> float:
        return round(NAME + PAD + room * float(value - low) / span, 1)

    marks = tuple(
        Mark(
            x(swing.low),
            TOP + place * ROW,
            f"{whole(swing.low)} – {whole(swing.high)}",
            f"{swing.driver} ± {swing.percent} %",
            max(round(x(swing.high) - x(swing.low), 1), 1),
            ROW - 12,
        )
        for place, swing in enumerate(sensed.swings)
    )
    words = "; ".join(f"{mark.label}: {mark.text}" for mark in marks)
    return Chart(WIDTH, TOP + len(marks) * ROW, x(sensed.total), "", marks, words)
