"""What a folder holds, as lists of names and as a short text."""

from dataclasses import dataclass, field

from animegan.data.pictures import MAX_PIXELS, MIN_SIDE
from animegan.text import printable, some

KINDS = {  # field of the report -> its meaning, what happens to such a file
    "corrupt": ("corrupt, or no picture at all", "left out"),
    "too_small": (f"too small (a side under {MIN_SIDE} pixels)", "left out"),
    "too_large": (f"too large (over {MAX_PIXELS // 10**6} megapixels)", "left out"),
    "unreadable": ("cannot be opened", "left out"),
    "hidden": ("hidden", "left out"),
    "foreign": ("not a picture", "left out"),
    "duplicates": ("exact duplicate", "kept"),
    "odd_shapes": ("odd shape (beyond 2:1)", "kept, cropped"),
    "misnamed": ("named as another format", "kept"),
    "animated": ("animated", "kept, first frame"),
}


@dataclass
class FolderReport:
    """What a folder holds: file names (relative, with "/"), by kind; `str()` sums it up.

    Left out: `corrupt`, `too_small`, `too_large`, `unreadable`, `hidden`, `foreign` (not a picture). Used, and only
    listed: `duplicates` (file -> the earlier file with the same bytes), `odd_shapes` (one side above twice the other),
    `misnamed`, `animated`. `notes` says where the cache is, if not in the folder. Files of our own are not counted.
    """

    folder: str = ""
    total: int = 0
    usable: int = 0
    corrupt: list[str] = field(default_factory=list)
    too_small: list[str] = field(default_factory=list)
    too_large: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    duplicates: dict[str, str] = field(default_factory=dict)
    odd_shapes: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)
    animated: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{printable(self.folder)}: {self.total} files, {self.usable} pictures to use"]
        width = max(len(meaning) for meaning, _ in KINDS.values())
        for kind, (meaning, fate) in KINDS.items():
            if names := getattr(self, kind):
                lines.append(f"  {meaning:<{width}} {len(names):>5}  {fate:<17}  {some(names)}")
        return "\n".join(lines + [f"  note: {printable(note)}" for note in self.notes])
