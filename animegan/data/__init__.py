"""A folder of pictures becomes one uint8 array, and the array becomes batches."""

from animegan.data.batching import batches, epoch_order, hold_out, to_device, to_uint8, to_unit
from animegan.data.dataset import FaceDataset, check_folder, load_faces
from animegan.data.folder import HIDDEN, KINDS, SHEET, TABLE, FolderReport, scan
from animegan.data.pictures import MAX_BYTES, MAX_PIXELS, SUFFIXES, decode_picture, opened, other_format

__all__ = [
    "HIDDEN", "KINDS", "MAX_BYTES", "MAX_PIXELS", "SHEET", "SUFFIXES", "TABLE", "FaceDataset", "FolderReport",
    "batches", "check_folder", "decode_picture", "epoch_order", "hold_out", "load_faces", "opened", "other_format",
    "scan", "to_device", "to_uint8", "to_unit",
]  # fmt: skip
