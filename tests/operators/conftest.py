from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_provider_lp import compat
from airflow_provider_lp.client import liveperson as client_module
from airflow_provider_lp.sandbox import Account, Sandbox
from tests.fake_clock import FakeClock
from tests.operators.reconciled import export_days, three_days
from tests.s3 import S3, s3_server
from tests.samples import NOW

try:
    from airflow.sdk import DAG as DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG as DAG


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """Airflow never forgets a secret, and with each new token builds its mask of all of them anew: minutes, by now."""
    yield
    masker = vars(sys.modules[compat.mask_secret.__module__])["_secrets_masker"]()
    masker.patterns, masker.replacer = set(), None


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each client that an operator makes gets a clock on which waits take no time."""
    monkeypatch.setattr(client_module, "Clock", FakeClock)


def connection_to(sandbox: Sandbox) -> str:
    """The connection to a sandbox as Airflow takes it from the environment."""
    secrets = {name: sandbox.credentials[name] for name in ("client_id", "client_secret")}
    extra = {"account_id": sandbox.account.account_id, **secrets}
    return json.dumps({"conn_type": "liveperson", "host": sandbox.url, "extra": extra})


@pytest.fixture
def serve(sandbox_of: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sandbox]:
    """Start a sandbox that the connection ``liveperson_default`` leads to."""

    def start(*conversations: Any, **options: Any) -> Sandbox:
        sandbox = sandbox_of(*conversations, **options)
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", connection_to(sandbox))
        return sandbox

    return start


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("exported")
    with pytest.MonkeyPatch.context() as patch, Sandbox(account=Account.of(three_days(), now=NOW)) as sandbox:
        patch.setattr(client_module, "Clock", FakeClock)
        patch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", connection_to(sandbox))
        return export_days(folder)


@pytest.fixture
def summaries(exported: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of three days that were exported, whose objects no test changes."""
    return copy.deepcopy(exported)


@pytest.fixture
def quiet(serve: Any, fast: None) -> Sandbox:
    """The LivePerson that they were exported from, in which nothing has changed."""
    sandbox: Sandbox = serve(*three_days())
    return sandbox


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    with s3_server() as server:
        yield server


@pytest.fixture
def bucket(s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The bucket ``bucket``, empty, of an S3 that the connection ``lake`` leads to."""
    monkeypatch.setenv("AIRFLOW_CONN_LAKE", s3.connection())
    created = s3.resource().create_bucket(Bucket="bucket")
    yield created
    created.objects.all().delete()
