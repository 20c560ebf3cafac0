"""animegan: a DCGAN that draws anime faces, small enough to read, and the course around it."""

__version__ = "0.1.0"
