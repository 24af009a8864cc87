"""`python -m hanse.compiled`: compile the rules where their sources have changed."""

import sys

from hanse.compiled.build import main

sys.exit(main())
