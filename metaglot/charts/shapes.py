"""Twenty marks that are told apart without colour, as SVG paths between -1 and 1."""

from math import cos, pi, sin

CIRCLE = "M-.8,0A.8,.8,0,1,1,.8,0A.8,.8,0,1,1,-.8,0Z"


def star(points: int, inner: float, turn: float = 0) -> str:
    """A star. inner: the radius between its points. turn: degrees; 0 points up."""
    corners = []
    for number in range(2 * points):
        angle, radius = pi * (number / points + turn / 180), inner if number % 2 else 1
        corners.append(f"{radius * sin(angle):.3f},{-radius * cos(angle):.3f}")
    return f"M{'L'.join(corners)}Z"


def polygon(sides: int, turn: float = 0) -> str:
    return star(sides, cos(pi / sides), turn)


SHAPES = (
    CIRCLE,
    polygon(4, 45),
    polygon(3),
    polygon(4),
    polygon(3, 180),
    polygon(3, -90),
    polygon(3, 90),
    polygon(5),
    star(5, 0.4),
    star(4, 0.35, 45),
    star(4, 0.35),
    polygon(6),
    star(2, 0.45),
    polygon(8, 22.5),
    star(2, 0.45, 90),
    star(6, 0.5),
    star(3, 0.3, 180),
    star(3, 0.3),
    star(3, 0.3, 90),
    star(3, 0.3, -90),
)


def shape(number: int) -> str:
    return SHAPES[number % len(SHAPES)]
