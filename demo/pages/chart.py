"""Draws the report: an SVG of what the daemon did in the last minute, and in the last two seconds."""

from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 960, 300
TOP, BOTTOM = 96, 252  # of both diagrams

STYLE = """
  text { font: 14px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #5b6172 }
  .title { font-size: 16px; font-weight: 650; fill: #1d2130 }
  .value { font-size: 14px; font-weight: 620; fill: #1d2130 }
  .axis { stroke: #d8d0c2; stroke-width: 1 }
  .bar { fill: #2f6fde }
  .running { fill: #2f6fde33; stroke: #2f6fde; stroke-width: 2 }
  .waiting { fill: #c2571a44; stroke: #c2571a; stroke-width: 2 }
  .running-word { fill: #2458b8 } .waiting-word { fill: #a1460f }
  @media (prefers-color-scheme: dark) {
    text { fill: #a0a8bb } .title, .value { fill: #e9ecf4 } .axis { stroke: #333a4d }
    .bar { fill: #6aa5ff }
    .running { fill: #6aa5ff33; stroke: #6aa5ff } .waiting { fill: #ff9d5c44; stroke: #ff9d5c }
    .running-word { fill: #8fbcff } .waiting-word { fill: #ffb27f }
  }
"""


@dataclass
class Sample:
    running: int
    waiting: int


def bars(counts: list[int], seconds: int) -> str:
    """Requests answered per bucket, oldest left."""
    left, right = 24, 470
    tallest = max(counts, default=0) or 1
    step = (right - left) / max(len(counts), 1)
    parts = [f'<line class="axis" x1="{left}" y1="{BOTTOM}" x2="{right}" y2="{BOTTOM}"/>']
    for index, count in enumerate(counts):
        height = (BOTTOM - TOP) * count / tallest
        x = left + index * step + step * 0.14
        middle = left + (index + 0.5) * step
        ago = (len(counts) - index) * seconds
        parts.append(f'<rect class="bar" x="{x:.1f}" y="{BOTTOM - height:.1f}" width="{step * 0.72:.1f}" '
                     f'height="{height:.1f}" rx="4"/>')
        parts.append(f'<text class="value" x="{middle:.1f}" y="{BOTTOM - height - 7:.1f}" '
                     f'text-anchor="middle">{count}</text>')
        parts.append(f'<text x="{middle:.1f}" y="{BOTTOM + 21}" text-anchor="middle">{ago} s</text>')
    return "".join(parts)


def area(values: list[int], tallest: int, name: str) -> str:
    left, right = 520, 936
    step = (right - left) / max(len(values) - 1, 1)
    points = " ".join(f"{left + index * step:.1f},{BOTTOM - (BOTTOM - TOP) * value / tallest:.1f}"
                      for index, value in enumerate(values))
    return f'<polygon class="{name}" points="{left},{BOTTOM} {points} {right},{BOTTOM}"/>'


def draw(counts: list[int], seconds: int, samples: list[Sample], took: float) -> str:
    """`counts`: answered requests per bucket of so many seconds; `took`: seconds of watching."""
    tallest = max(4, *(sample.running + sample.waiting for sample in samples))
    both = [sample.running + sample.waiting for sample in samples]
    running = [sample.running for sample in samples]
    total = sum(counts)
    summary = (f"{total} requests were answered in the last {len(counts) * seconds} seconds; "
               f"up to {max(running)} ran at once while this was drawn")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img">
<title>{escape(summary)}</title><style>{STYLE}</style>
<text class="title" x="24" y="38">Answered in the last minute</text>
<text x="24" y="61">{total} requests, in steps of {seconds} seconds</text>
{bars(counts, seconds)}
<text class="title" x="520" y="38">The gallery while this was drawn</text>
<text x="520" y="61"><tspan class="running-word">running: at most {max(running)}</tspan><tspan class="waiting-word" dx="16">waiting: at most {max(sample.waiting for sample in samples)}</tspan></text>
<line class="axis" x1="520" y1="{BOTTOM}" x2="936" y2="{BOTTOM}"/>
{area(both, tallest, "waiting")}{area(running, tallest, "running")}
<text x="520" y="{BOTTOM + 21}">{took:.0f} s ago</text>
<text x="936" y="{BOTTOM + 21}" text-anchor="end">now</text>
</svg>
"""
