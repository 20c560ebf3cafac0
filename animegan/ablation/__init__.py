"""Which ingredient earns its place: a grid of runs from one TOML file, and the table that it gives."""

from animegan.ablation.grid import Grid, Result, Row, read_results
from animegan.ablation.ranking import Standing, floor, standings, table
from animegan.ablation.sweep import ablate

__all__ = ["Grid", "Result", "Row", "Standing", "ablate", "floor", "read_results", "standings", "table"]
