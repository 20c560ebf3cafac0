"""What a person looks at: epochs and runs side by side."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from animegan.errors import UserError
from animegan.runs import FACES_IN_GRID, Run

INK, PAPER, FADED = "#1b1b1f", "#ffffff", "#6b6b76"
COLUMNS = 12  # faces in a row: two rows and their label fill the width of a slide
GAP = 2  # pixels between two faces
BLOCK_GAP = 10  # pixels between two epochs


def compare_epochs(runs: Sequence[Run], epochs: Sequence[int], count: int = 24) -> Image.Image:
    """Rows of faces, labelled by epoch (and by run, where there are several), as one picture.

    The faces are cut from the runs' grids: all come from the same latent vectors, so a column shows
    one and the same z, and what changes down the column is what was learnt.

    count: faces of one epoch, 1 to 64. Raises UserError where a run lacks one of the epochs.
    """
    if not 1 <= count <= FACES_IN_GRID:
        raise UserError(f"--count {count} is out of range: a grid has 1 to {FACES_IN_GRID} faces.")
    if not epochs:
        raise UserError("no epoch to compare: this run has not finished its first one.")
    blocks = [(run, epoch) for run in runs for epoch in epochs]
    size = runs[0].config.imageSize
    columns = min(COLUMNS, count)
    rows = -(-count // columns)
    labels = [
        [f"epoch {epoch}", *([run.path.name, run.config.recipe] if len(runs) > 1 else [])] for run, epoch in blocks
    ]
    font, small = _font(20, labels), _font(15, labels)
    label_width = 24 + round(
        max((font if n == 0 else small).getlength(line) for label in labels for n, line in enumerate(label))
    )
    block_height = rows * (size + GAP) - GAP

    sheet = Image.new(
        "RGB",
        (
            label_width + columns * (size + GAP) + BLOCK_GAP,
            BLOCK_GAP + len(blocks) * (block_height + BLOCK_GAP),
        ),
        PAPER,
    )
    pen = ImageDraw.Draw(sheet)
    for number, ((run, epoch), label) in enumerate(zip(blocks, labels, strict=True)):
        top = BLOCK_GAP + number * (block_height + BLOCK_GAP)
        middle = top + block_height / 2 - 11 * (len(label) - 1)
        for n, line in enumerate(label):
            pen.text((12, middle + 22 * n), line, FADED if n else INK, small if n else font, anchor="lm")
        for cell, face in enumerate(run.faces(epoch)[:count]):
            row, column = divmod(cell, columns)
            sheet.paste(face, (label_width + column * (size + GAP), top + row * (size + GAP)))
    return sheet


def _font(size: int, labels: list[list[str]]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font; for a folder with a Chinese name, the first system font that has the signs."""
    if not all(line.isascii() for label in labels for line in label):
        for name in ("msyh.ttc", "PingFang.ttc", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "simhei.ttf"):
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)
