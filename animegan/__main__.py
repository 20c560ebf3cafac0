"""`python -m animegan` is `animegan`."""

import sys

from animegan.cli import main

sys.exit(main())
