"""animegan: a DCGAN that draws anime faces, small enough to read, and the course around it."""

import io
import os
import sys

__version__ = "0.1.0"

# How long PyTorch's waiting threads spin before they sleep: much longer by default, which slows down all other
# programs, and with them this one. GNU's OpenMP (PyTorch from PyPI on Linux) reads the first, in turns of a loop;
# LLVM's and Intel's (Windows, macOS, conda) the second, in milliseconds; each once, when PyTorch is loaded.
SPIN_LIMITS = {"GOMP_SPINCOUNT": "100000", "KMP_BLOCKTIME": "1"}
SPIN_LIMITED = "torch" not in sys.modules or SPIN_LIMITS.items() <= os.environ.items()


def wait_policy() -> dict[str, str]:
    """What the environment says of how OpenMP's threads wait, by the names of its variables."""
    return {name: os.environ[name] for name in ("OMP_WAIT_POLICY", *SPIN_LIMITS) if name in os.environ}


if not wait_policy():
    os.environ.update(SPIN_LIMITS)

if any(name.startswith("TQDM_") for name in os.environ):
    try:
        import tqdm

        list(tqdm.tqdm([0], file=io.StringIO()))
    except Exception:  # one of these variables is not what it expects
        for _name in [name for name in os.environ if name.startswith("TQDM_")]:
            del os.environ[_name]
