"""Settings and fixtures that all tests share."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from tests.fake_clock import FakeClock
from tests.samples import NOW
from tests.system.airflow_process import Airflow

if "AIRFLOW_HOME" not in os.environ:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-provider-lp-tests-")
    atexit.register(shutil.rmtree, os.environ["AIRFLOW_HOME"], ignore_errors=True)
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")

settings.register_profile(
    "tests", max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("tests")

#: Warnings that Airflow 2.11 itself causes when it is imported; ours are errors.
AIRFLOWS_OWN_WARNINGS = (
    "ignore:Timer and timing metrics publish in seconds:DeprecationWarning",
    "ignore:'_app_ctx_stack' is deprecated:DeprecationWarning:flask_sqlalchemy",
)


def pytest_configure(config: pytest.Config) -> None:
    for line in AIRFLOWS_OWN_WARNINGS:
        config.addinivalue_line("filterwarnings", line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process has it all to itself at the end."""
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox listens on this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="session")
def prepared_airflow(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """One Airflow whose database is made, for all processes of a run; copy it."""
    folder = tmp_path_factory.getbasetemp()
    return Airflow.shared((folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / "airflow")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sandbox_of() -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox of exactly the given conversations, or of an account."""
    with ExitStack() as stack:

        def start(*conversations: Conversation, account: Account | None = None, **options: Any) -> Sandbox:
            served = account or Account.of(conversations, now=NOW)
            return stack.enter_context(Sandbox(account=served, **options))

        yield start
