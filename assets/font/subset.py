"""Makes the fonts of this folder from the whole ones: see README.md. Needs fonttools."""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.merge import Merger
from fontTools.ttLib import TTFont

# Latin, Greek and Cyrillic of today, punctuation, arrows, mathematics, pictures of keys and control characters.
TEXT = "U+20-7E,U+A0-17F,U+218-21B,U+2C6,U+2DC,U+300-304,U+306-30C,U+327-328,U+370-3FF,U+400-45F,U+490-491,U+1E9E"
TEXT += ",U+2010-2027,U+2030-203A,U+2070-2089"
TEXT += ",U+20AC,U+2116,U+2122,U+2190-21FF,U+2200-22FF,U+2300-23FF,U+2400-2426,U+25A0-25FF,U+2605-2606,U+2630,U+26A0"
TEXT += ",U+2713,U+2717,U+27E8-27E9,U+FFFD"

# Signs the text's font lacks, each from the first font that has it. The circles come from one font, to be of one size.
SIGNS = [
    ("NotoSansMono-Regular.ttf", "●○◐◑◒◓⁻"),
    ("NotoSansSymbols2-Regular.ttf", "✔✘↩⏎⌛⏱★☆☐☑☒"),
    ("NotoSansMath-Regular.ttf", "⟳⟲↵⇥"),
]


def cut(source: Path, target: Path, unicodes: list[int]) -> None:
    options = subset.Options()
    options.layout_features = []
    options.hinting = False
    options.notdef_outline = True
    # Copyright and licence stay in the font.
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    font = subset.load_font(source, options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=unicodes)
    cutter.subset(font)
    for table in ("GSUB", "GPOS", "GDEF"):
        if table in font:
            del font[table]
    font["head"].modified = font["head"].created
    font.recalcTimestamp = False
    subset.save_font(font, target, options)


def main(sources: Path, here: Path) -> None:
    text = subset.parse_unicodes(TEXT)
    circles = [ord(sign) for sign in SIGNS[0][1]]
    for style in ("Regular", "Bold"):
        source = next(sources.rglob(f"JetBrainsMono-{style}.ttf"))
        cut(source, here / f"JetBrainsMono-{style}.ttf", [code for code in text if code not in circles])
    parts = []
    for name, signs in SIGNS:
        parts.append(here / f"part-{name}")
        cut(next(sources.rglob(name)), parts[-1], [ord(sign) for sign in signs])
    merged = Merger().merge([str(part) for part in parts])
    for record in merged["name"].names:
        if record.nameID in (1, 3, 4, 6):
            record.string = "kmslabSigns" if record.nameID == 6 else "kmslab Signs"
    # The same bytes whenever it is made.
    first = TTFont(parts[0])["head"]
    merged["head"].created = merged["head"].modified = first.created
    merged.recalcTimestamp = False
    merged.save(here / "Signs.ttf")
    for part in parts:
        part.unlink()
    for font in sorted(here.glob("*.ttf")):
        print(font.name, font.stat().st_size, len(TTFont(font).getBestCmap()))


main(Path(sys.argv[1]), Path(__file__).parent)
