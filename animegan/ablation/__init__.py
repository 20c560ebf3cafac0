"""Which ingredient earns its place: a grid of runs from one TOML file, and the table that it gives."""

from animegan.ablation.grid import Grid, Result, Row, read_results
from animegan.ablation.sweep import Standing, ablate, floor, standings, table

__all__ = ["Grid", "Result", "Row", "Standing", "ablate", "floor", "read_results", "standings", "table"]
