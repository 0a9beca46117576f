"""Figures as text: Markdown tables, and as many digits as a measurement is worth."""

from .cells import SPREAD_LIMIT


def significant(value: float | None, digits: int = 4) -> float | int | None:
    """As many digits as the measurement is worth."""
    if value is None:
        return None
    rounded = float(f"{value:.{digits}g}")
    return int(rounded) if rounded == int(rounded) else rounded


def table(heading: list[str], lines: list[list[str]]) -> str:
    """Words to the left, figures to the right."""
    def is_figure(column: int) -> bool:
        return all(line[column][:1] in "0123456789–≥≤ " for line in lines)

    rule = ["---:" if is_figure(column) else "---" for column in range(len(heading))]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heading, rule, *lines]) + "\n"


def number(value: float | None) -> str:
    """1234567 -> 1 234 567; small ones keep what they have."""
    if value is None:
        return "–"
    if value >= 1000:
        return f"{value:,.0f}".replace(",", "\u202f")
    if value >= 100 or value == int(value):
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}×" if value < 0.1 else f"{value:.2f}×"


def spread_text(spread: float | None) -> str:
    """Bold where it says that the figure means little."""
    if spread is None:
        return "–"
    return f"**{spread:.0%}**" if spread > SPREAD_LIMIT else f"{spread:.0%}"
