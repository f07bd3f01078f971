"""The contract of storages, kept by Google's Cloud Storage: an emulator, which `make test-storages` installs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import quote

import pytest
import requests

from .contract import RemoteContract
from .refusing import Refusal, RefusingProxy

# Otherwise gcsfs asks over TLS what kind of bucket it is, which the emulator does not speak.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"
pytest.importorskip("gcsfs", reason="gcsfs is not installed: make test-storages")
pytest.importorskip("airflow.providers.google", reason="Airflow's Google provider is not installed")
server_module = pytest.importorskip("gcp_storage_emulator.server", reason="the emulator is not installed")

BUCKET = "contract"
JSON = {"Content-Type": "application/json"}
EXPIRED = Refusal(403, JSON, b'{"error": {"code": 403, "message": "The token has expired."}}')
UNKNOWN = Refusal(401, JSON, b'{"error": {"code": 401, "message": "Anonymous caller does not have access."}}')


def connection(url: str) -> str:
    extra = {"is_anonymous": True, "project": "contract", "gcs.endpoint": url}
    return json.dumps({"conn_type": "google_cloud_platform", "extra": extra})


@contextmanager
def emulator() -> Iterator[int]:
    """The emulator as long as the block lasts; gives its port."""
    server = server_module.create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        port: int = server._api._httpd.server_address[1]
        yield port
    finally:
        server.stop()


class GoogleStore:
    bucket = f"gs://{BUCKET}"
    conn_id = "contract_google"
    missing = ("gs://not-there", "contract_google")
    refused = (bucket, "contract_google_refused")
    #: The request that begins the upload, before the one that sends.
    requests_before = 1

    def __init__(self, port: int, proxy: RefusingProxy) -> None:
        self._objects = f"http://127.0.0.1:{port}/storage/v1/b/{BUCKET}/o"
        self.proxy = proxy

    def _listed(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = requests.get(self._objects, timeout=60).json().get("items", [])
        return items

    def keys(self) -> list[str]:
        return [each["name"] for each in self._listed()]

    def content(self, key: str) -> bytes:
        return requests.get(f"{self._objects}/{quote(key, safe='')}?alt=media", timeout=60).content

    def said(self, key: str) -> tuple[str | None, str | None]:
        (found,) = (each for each in self._listed() if each["name"] == key)
        return found["contentType"], found.get("contentEncoding")

    def leftovers(self) -> list[Any]:
        """Google lists no uploads that are under way."""
        return []

    def empty(self) -> None:
        for key in self.keys():
            requests.delete(f"{self._objects}/{quote(key, safe='')}", timeout=60)


@pytest.fixture(scope="module")
def served() -> Iterator[GoogleStore]:
    with ExitStack() as stack:
        port = stack.enter_context(emulator())
        proxy = stack.enter_context(RefusingProxy(port, EXPIRED).running())
        closed = stack.enter_context(RefusingProxy(port, UNKNOWN, refuses_all=True).running())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("AIRFLOW_CONN_CONTRACT_GOOGLE", connection(proxy.url))
        patch.setenv("AIRFLOW_CONN_CONTRACT_GOOGLE_REFUSED", connection(closed.url))
        yield GoogleStore(port, proxy)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
class TestGoogle(RemoteContract):
    @pytest.fixture
    def store(self, served: GoogleStore) -> Iterator[GoogleStore]:
        yield served
        served.empty()
