"""Pytest fixtures: one target cluster and one gateway a module; a failed test shows the end of the gateway's log."""

import os
import signal

import pytest

from .cluster import Cluster
from .gateway import ALICE, BOB

DIRECT = bool(os.environ.get("SALLYPORT_TEST_DIRECT"))


class Direct:
    """Stands in for a Gateway and points at the target itself: validates a story's logic without the gateway.

    Databases must be named as their connections. The users exist on the target as superusers."""

    def __init__(self, cluster):
        self.cluster, self.port, self.users = cluster, cluster.port, {"alice": ALICE, "bob": BOB}
        self.address = cluster.address
        for user in self.users.values():
            cluster.role(user.name, user.password, "LOGIN SUPERUSER")

    from .gateway import Gateway as _Gateway

    client = _Gateway.client
    dsn = _Gateway.dsn

    def log_text(self):
        return self.cluster.log_text()

    def remove(self):
        """The cluster is its own fixture's to remove."""


@pytest.fixture(scope="module")
def target(request):
    """A running target cluster, with the module's TARGET_SETTINGS where it has any."""
    cluster = Cluster(settings=getattr(request.module, "TARGET_SETTINGS", None), tls=True)
    try:
        yield cluster.start()
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def serve(request, target):
    """Called with a Gateway's arguments: a running gateway, removed after the module."""
    from .gateway import Gateway

    made = []

    def start(*arguments, **keywords):
        made.append(Direct(target) if DIRECT else Gateway(*arguments, **keywords))
        if not DIRECT:
            made[-1].start()
        request.module.shown_gateway = made[-1]
        return made[-1]

    yield start
    for gateway in made:
        gateway.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    gateway = getattr(item.module, "shown_gateway", None)
    if report.failed and gateway is not None:
        report.sections.append(("the gateway's log", gateway.log_text()[-3000:]))


def pytest_configure():
    """A run that is stopped from outside still ends its servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config, items):
    """In direct mode only the stories that are true of a bare PostgreSQL run."""
    if DIRECT:
        kept = [item for item in items if not item.get_closest_marker("gateway_only")]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept
