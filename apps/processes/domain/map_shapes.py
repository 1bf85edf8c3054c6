"""What a process map is made of, once everything has its place: boxes, ways and lanes, in pixels."""

from dataclasses import dataclass

from apps.processes.models.values import FlowStep

BOX_WIDTH, BOX_HEIGHT, EVENT, DIAMOND = 168, 64, 34, 54
SLOT, THREAD, PAD = 92, 22, 14
HEAD, TRACK, CHANNEL, LABEL_CHAR, LABEL_MOST = 132, 12, 26, 6.4, 18
LOW, SLANT = 0.28, 16  # how far below the middle rework runs; how wide the points of a decision are
NOBODY = "No role yet"
Point = tuple[float, float]


@dataclass(frozen=True)
class Node:
    """One shape: a step, or the event at which the process begins or ends."""

    key: str
    shape: str
    x: float
    y: float
    width: float
    height: float
    lane: str
    step: FlowStep | None = None

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.width / 2, self.y + self.height / 2

    def side(self, *, right: bool, low: bool = False) -> Point:
        """Where a way leaves (right) or enters (left): in the middle, or low, where rework runs."""
        down = self.height * LOW if low else 0.0
        slant = SLANT * down / (self.height / 2) if self.shape == "decision" else 0.0
        return (self.x + self.width - slant if right else self.x + slant), self.middle[1] + down


@dataclass(frozen=True)
class Way:
    """One line with an arrow at its end."""

    source: str
    target: str
    points: tuple[Point, ...]
    condition: str = ""
    is_rework: bool = False
    label_at: Point = (0, 0)


@dataclass(frozen=True)
class Lane:
    """The band of one role."""

    name: str
    y: float
    height: float


@dataclass(frozen=True)
class Map:
    """Everything that is drawn, and how large it is."""

    width: float
    height: float
    lanes: tuple[Lane, ...] = ()
    nodes: tuple[Node, ...] = ()
    ways: tuple[Way, ...] = ()
