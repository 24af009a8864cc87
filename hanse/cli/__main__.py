"""`python -m hanse.cli`: the command line."""

import sys

from hanse.cli import main

sys.exit(main())
