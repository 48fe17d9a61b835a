"""Makes the harness importable and its fixtures known."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.dont_write_bytecode = True

from harness.fixtures import *  # noqa: E402,F401,F403
from harness.fixtures import pytest_collection_modifyitems, pytest_configure, pytest_runtest_makereport  # noqa: E402,F401
