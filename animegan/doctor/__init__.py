"""Is this machine ready for the course?"""

from animegan.doctor.checkup import CHECKS, Finding, examine, has_failed, report

__all__ = ["CHECKS", "Finding", "examine", "has_failed", "report"]
