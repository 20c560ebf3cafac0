"""Which ingredient earns its place: a grid of runs from one TOML file, and the table that it gives."""

from animegan.ablation.grid import Result, Row, Sweep, read_results
from animegan.ablation.ranking import Standing, floor, standings, table
from animegan.ablation.sweep import ablate

__all__ = ["Result", "Row", "Standing", "Sweep", "ablate", "floor", "read_results", "standings", "table"]
