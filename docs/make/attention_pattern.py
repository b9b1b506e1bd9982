"""Draws who looks at whom: `python docs/make/attention_pattern.py`.

Writes docs/images/attention_pattern.svg. The pattern is not drawn by hand: it is what
the dense reference of LED's attention computes for a document of 24 tokens.
"""

from pathlib import Path

import numpy as np

from tf_led.testing import dense_led_attention

PICTURE = Path(__file__).parents[1] / "images" / "attention_pattern.svg"
TOKENS, RADIUS, CELL = 24, 3, 11
SIDE = TOKENS * CELL
LEFTS, TOP = (36, 358), 62
# Narrow, so that the words can be read where a phone shrinks it.
WIDTH, HEIGHT = 640, 454
GLOBAL = (0, 9)
COLOURS = {"none": "#e9ecef", "window": "#3b6fb6", "global": "#e0872b"}
LEGEND = (
    ("window", "the window: tokens at most 3 positions away"),
    ("global", "a global token: it sees all tokens, all tokens see it"),
    ("none", "never computed"),
)


def attention_pattern():
    """What LED's attention looks at.

    Returns:
        bool[S, S], True where the token of the row looks at the token of the column.
    """
    shape = (1, TOKENS, 1, TOKENS)
    zeros, values = np.zeros(shape), np.eye(TOKENS).reshape(shape)
    is_global = np.isin(np.arange(TOKENS), GLOBAL)[None]
    context, _, _ = dense_led_attention(
        *(zeros, zeros, values, zeros, zeros, values),
        padding_mask=np.ones([1, TOKENS], bool),
        global_mask=is_global,
        radius=RADIUS,
    )
    return context[0, :, 0] > 0  # a token's value is its place: [S, S]


def kind_of(row, column, pattern):
    if not pattern[row, column]:
        return "none"
    return "global" if {row, column} & {*GLOBAL} else "window"


def text(x, y, words, size=16, **style):
    more = "".join(f' {name.replace("_", "-")}="{v}"' for name, v in style.items())
    return f'<text x="{x}" y="{y}" font-size="{size}"{more}>{words}</text>'


def squares(places, kind):
    """One path for all squares of a kind: a tenth of the bytes of as many shapes."""
    side = CELL - 1
    steps = "".join(f"M{x} {y}h{side}v{side}h-{side}z" for x, y in places)
    return f'<path fill="{COLOURS[kind]}" d="{steps}"/>'


def panel(left, title, kinds):
    """One square of S times S cells with its title and the names of its axes."""
    yield text(left, TOP - 36, title[0], size=18, font_weight="bold")
    yield text(left, TOP - 15, title[1])
    for kind in COLOURS:
        found = np.argwhere(np.array(kinds) == kind)
        yield squares([(left + c * CELL, TOP + r * CELL) for r, c in found], kind)
    below, middle = TOP + SIDE + 22, TOP + SIDE / 2
    centre = {"text_anchor": "middle"}
    yield text(left + SIDE / 2, below, "token that is looked at", **centre)
    turned = f"rotate(-90 {left - 12} {middle})"
    yield text(left - 12, middle, "token that looks", **centre, transform=turned)


def draw():
    """Draws the picture.

    Returns:
        str, an SVG.
    """
    pattern = attention_pattern()
    cells = range(TOKENS)
    full = [["window"] * TOKENS] * TOKENS
    led = [[kind_of(row, column, pattern) for column in cells] for row in cells]
    some = f"{pattern.sum()} pairs; grows with the length"
    every = f"{TOKENS**2} pairs; grows with the square"
    parts = [
        *panel(LEFTS[0], ("Full attention", every), full),
        *panel(LEFTS[1], ("LED's encoder", some), led),
    ]
    for line, (kind, words) in enumerate(LEGEND):
        y = TOP + SIDE + 60 + 25 * line
        parts += [squares([(LEFTS[0], y - 11)], kind), text(LEFTS[0] + 20, y, words)]
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'width="{WIDTH}" height="{HEIGHT}" font-family="Helvetica, Arial, sans-serif" '
        'fill="#212529">'
    )
    paper = f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
    return "\n".join([opening, paper, *parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
