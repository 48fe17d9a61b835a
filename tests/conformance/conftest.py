"""The drivers' stories use the harness of the end-to-end tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "end_to_end"))
sys.dont_write_bytecode = True

from harness.fixtures import *  # noqa: E402,F401,F403
from harness.fixtures import pytest_collection_modifyitems, pytest_configure, pytest_runtest_makereport  # noqa: E402,F401

import pytest  # noqa: E402

from harness import featurestore  # noqa: E402


@pytest.fixture(scope="module")
def gateway(serve, target):
    """A gateway in front of the sample database."""
    featurestore.prepare(target)
    return serve(featurestore.front(target), featurestore.POLICY)
