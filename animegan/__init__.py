"""animegan: a DCGAN that draws anime faces, small enough to read, and the course around it."""

import io
import os

__version__ = "0.1.0"

if any(name.startswith("TQDM_") for name in os.environ):
    try:
        import tqdm

        list(tqdm.tqdm([0], file=io.StringIO()))
    except Exception:  # one of these variables is not what it expects
        for _name in [name for name in os.environ if name.startswith("TQDM_")]:
            del os.environ[_name]
