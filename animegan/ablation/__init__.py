"""Which ingredient earns its place: a sweep of runs from one TOML file, and the table of its results."""

from animegan.ablation.ranking import Standing, floor, standings, table
from animegan.ablation.runner import ablate
from animegan.ablation.sweep import Result, Row, Sweep, read_results

__all__ = ["Result", "Row", "Standing", "Sweep", "ablate", "floor", "read_results", "standings", "table"]
