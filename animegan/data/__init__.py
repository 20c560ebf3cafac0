"""A folder of pictures becomes one uint8 array, and the array batches."""

from animegan.data.batching import batches, epoch_order, hold_out, to_device, to_uint8, to_unit
from animegan.data.dataset import Faces, check_folder, load_faces
from animegan.data.folder import SHEET, TABLE, scan
from animegan.data.pictures import MAX_BYTES, MAX_PIXELS, SUFFIXES, judge, opened
from animegan.data.report import KINDS, FolderReport

__all__ = [
    "Faces", "FolderReport", "KINDS", "MAX_BYTES", "MAX_PIXELS", "SHEET", "SUFFIXES", "TABLE", "batches",
    "check_folder", "epoch_order", "hold_out", "judge", "load_faces", "opened", "scan", "to_device",
    "to_uint8", "to_unit",
]  # fmt: skip
