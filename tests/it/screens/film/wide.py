"""Makes wide.ttf beside it: squares in place of a few wide characters, for tests of added fonts. Needs fonttools."""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

# Character: advance, and the square's left, bottom, right and top, of an em of 1000.
SQUARES = {
    "表": (1000, 50, -70, 950, 830),
    "あ": (1600, 0, -400, 1600, 1200),  # more than any cell
    "👍": (1250, 0, -200, 1250, 1050),
    "🇩": (900, 100, 0, 800, 700),
    "🇪": (900, 200, 0, 700, 500),
}


def square(left: int, bottom: int, right: int, top: int):
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for corner in [(left, top), (right, top), (right, bottom)]:
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


names = {c: f"u{ord(c):04X}" for c in SQUARES}
builder = FontBuilder(1000, isTTF=True)
builder.setupGlyphOrder([".notdef", *names.values()])
builder.setupCharacterMap({ord(c): name for c, name in names.items()})
builder.setupGlyf({".notdef": TTGlyphPen(None).glyph()} | {names[c]: square(*box[1:]) for c, box in SQUARES.items()})
builder.setupHorizontalMetrics({".notdef": (500, 0)} | {names[c]: box[:2] for c, box in SQUARES.items()})
builder.setupHorizontalHeader(ascent=880, descent=-120)
builder.setupNameTable({"familyName": "kmslab squares", "styleName": "Regular"})
builder.setupOS2()
builder.setupPost(keepGlyphNames=False)
builder.font["head"].created = builder.font["head"].modified = 3_850_000_000
builder.font.recalcTimestamp = False
builder.save(Path(__file__).with_suffix(".ttf"))
