"""Sheets of faces: labelled rows, below each other, as one picture."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from animegan.grids import GRID_GAP
from animegan.show.figures import FADED, INK, PAPER
from animegan.show.pictures import Picture, font_for, on_picture

GAP = GRID_GAP  # pixels between two faces
MARGIN = 12  # pixels around a sheet, and between the labels and the faces
BLOCK_GAP = 10  # pixels between two blocks of rows
HEADING = 20  # pixels: the height of a row of texts
CAPTION = 26  # pixels: the height of the line below all faces


def faces_sheet(
    rows: Sequence[tuple[str, Sequence[Image.Image] | Sequence[str]]],
    columns: int | None = None, size: int | None = None,
    row_gap: int = GAP, margin: int = MARGIN, font_size: int = 16, caption: str = "",
) -> Picture:  # fmt: skip
    """Rows of faces as one picture, each row with its label at the left.

    rows: (label, cells) from top to bottom. The first line of a label is dark, further lines are smaller and grey.
        The cells are pictures of one size, or short texts: those are a heading, one text above each column.
    columns: cells side by side; a longer row continues on further lines. By default the longest row fits.
    size: height and width of a face in pixels; by default the pictures keep their own.
    row_gap, margin, font_size: in pixels. caption: a line of text below the faces, centred.
    """
    caption = on_picture(caption)
    rows = [
        ("\n".join(map(on_picture, label.split("\n"))), [on_picture(c) if isinstance(c, str) else c for c in cells])
        for label, cells in rows
    ]
    longest = max(len(cells) for _, cells in rows)
    columns = min(columns or longest, longest)
    headings = [any(isinstance(cell, str) for cell in cells) for _, cells in rows]
    pictures = [cell for (_, cells), heading in zip(rows, headings, strict=True) for cell in cells if not heading]
    width, height = (size, size) if size else pictures[0].size
    texts = [text for label, cells in rows for text in (label, caption, *cells) if isinstance(text, str)]
    large, small = font_for(font_size, texts), font_for(round(0.85 * font_size), texts)
    labels = [
        [(line, FADED, small) if n or heading else (line, INK, large) for n, line in enumerate(label.split("\n"))]
        for (label, _), heading in zip(rows, headings, strict=True)
    ]
    label_width = round(max(font.getlength(line) for label in labels for line, _, font in label))
    left = margin + (label_width + margin if label_width else 0)

    heights = [
        -(-len(cells) // columns) * ((HEADING if heading else height) + GAP) - GAP
        for (_, cells), heading in zip(rows, headings, strict=True)
    ]
    below = 2 * margin + sum(heights) + row_gap * (len(rows) - 1) + BLOCK_GAP * sum(headings[1:])
    right = left + columns * (width + GAP) - GAP + margin

    sheet = Image.new("RGB", (right, below + (CAPTION if caption else 0)), PAPER)
    pen, top = ImageDraw.Draw(sheet), margin
    for (_, cells), label, heading, row_height in zip(rows, labels, headings, heights, strict=True):
        if heading and top > margin:
            top += BLOCK_GAP
        for n, (line, colour, font) in enumerate(label):
            middle = top + row_height / 2 + 1.1 * font_size * (n - (len(label) - 1) / 2)
            pen.text((margin, middle), line, colour, font, anchor="lm")
        for n, cell in enumerate(cells):
            x = left + n % columns * (width + GAP)
            if heading:
                pen.text((x + width / 2, top + n // columns * (HEADING + GAP) + HEADING / 2), cell, INK, small, "mm")
            else:
                face = cell if cell.size == (width, height) else cell.resize((width, height), Image.Resampling.LANCZOS)
                sheet.paste(face, (x, top + n // columns * (height + GAP)))
        top += row_height + row_gap
    pen.text((right / 2, below + CAPTION / 2 - 1), caption, INK, large, "mm")
    return Picture(sheet)


def judging_sheets(faces: Sequence[Image.Image], size: int = 192) -> list[Picture]:
    """The faces of a blind count (`measure.blind_count`), each with its number above it, 32 to a sheet."""
    rows = []
    for start in range(0, len(faces), 8):
        line = faces[start : start + 8]
        rows += [("", [str(number) for number in range(start + 1, start + len(line) + 1)]), ("", line)]
    return [faces_sheet(rows[start : start + 8], size=size) for start in range(0, len(rows), 8)]
