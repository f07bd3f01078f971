"""The contract of storages, kept by Azure's Blob Storage (Azurite, of npm). `make test-storages` has all it needs."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from .contract import RemoteContract, RemoteStore, some
from .refusing import Refusal, RefusingProxy

pytest.importorskip("adlfs", reason="adlfs is not installed: make test-storages")
pytest.importorskip("airflow.providers.microsoft.azure", reason="Airflow's Azure provider is not installed")

CONTAINER = "contract"
ACCOUNT = "devstoreaccount1"
#: Of Azurite's own account, as documented.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
WRONG_KEY = base64.b64encode(b"x" * 64).decode()
#: Where `make test-storages` puts it.
INSTALLED = Path(sys.prefix) / "azurite" / "node_modules" / ".bin" / "azurite-blob"
EXPIRED = Refusal(403, {"x-ms-error-code": "AuthorizationPermissionMismatch"}, b"")
#: What Azure says of a key that is not the account's; Azurite calls it AuthorizationFailure.
REFUSED = Refusal(403, {"x-ms-error-code": "AuthenticationFailed"}, b"")


def connection(url: str, key: str = KEY) -> str:
    parts = {"DefaultEndpointsProtocol": "http", "AccountName": ACCOUNT, "AccountKey": key}
    parts["BlobEndpoint"] = f"{url}/{ACCOUNT}"
    connection_string = "".join(f"{name}={value};" for name, value in parts.items())
    return json.dumps({"conn_type": "wasb", "extra": {"connection_string": connection_string}})


@contextmanager
def azurite(folder: Path) -> Iterator[int]:
    """Azurite as long as the block lasts; gives its port."""
    command = str(INSTALLED) if INSTALLED.exists() else shutil.which("azurite-blob")
    if command is None or shutil.which("node") is None:
        pytest.skip("Azurite is not installed: it takes Node.js and npm, then make test-storages installs it.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    options = ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--location", str(folder)]
    process = subprocess.Popen([command, *options, "--blobPort", str(port)])
    try:
        deadline = time.monotonic() + 300
        while process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, "Azurite does not start"
            time.sleep(0.2)
        assert process.poll() is None, "Azurite has ended"
        yield port
    finally:
        process.terminate()
        process.wait()


class AzureStore:
    bucket = f"abfs://{CONTAINER}"
    conn_id = "contract_azure"
    missing = ("abfs://not-there", "contract_azure")
    refused = (bucket, "contract_azure_refused")
    #: The object is sent whole, in one request: that one.
    requests_before = 0

    def __init__(self, port: int, proxy: RefusingProxy) -> None:
        from azure.storage.blob import BlobServiceClient

        described = json.loads(connection(f"http://127.0.0.1:{port}"))
        service = BlobServiceClient.from_connection_string(described["extra"]["connection_string"])
        self._container = service.create_container(CONTAINER)
        self.proxy = proxy

    def keys(self) -> list[str]:
        return [each.name for each in self._container.list_blobs()]

    def content(self, key: str) -> bytes:
        content: bytes = self._container.download_blob(key).readall()
        return content

    def said(self, key: str) -> tuple[str | None, str | None]:
        settings = self._container.get_blob_client(key).get_blob_properties().content_settings
        return settings.content_type, settings.content_encoding

    def leftovers(self) -> list[Any]:
        """Blobs of which there are only blocks."""
        listed = {each.name for each in self._container.list_blobs(include=["uncommittedblobs"])}
        return sorted(listed - set(self.keys()))

    def empty(self) -> None:
        for key in self.keys():
            self._container.delete_blob(key)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AzureStore]:
    with ExitStack() as stack:
        port = stack.enter_context(azurite(tmp_path_factory.mktemp("azurite")))
        proxy = stack.enter_context(RefusingProxy(port, EXPIRED).running())
        closed = stack.enter_context(RefusingProxy(port, REFUSED, refuses_all=True).running())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("AIRFLOW_CONN_CONTRACT_AZURE", connection(proxy.url))
        patch.setenv("AIRFLOW_CONN_CONTRACT_AZURE_REFUSED", connection(closed.url))
        patch.setenv("AIRFLOW_CONN_CONTRACT_AZURE_WRONG", connection(proxy.url, WRONG_KEY))
        yield AzureStore(port, proxy)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
class TestAzure(RemoteContract):
    @pytest.fixture
    def store(self, served: AzureStore) -> Iterator[AzureStore]:
        yield served
        served.empty()

    def test_what_azurite_itself_says_of_a_wrong_key_is_passed_on_in_one_line(self, store: RemoteStore) -> None:
        from airflow_provider_lp.compat import ObjectStoragePath
        from airflow_provider_lp.export.publishing import publish_object

        path = ObjectStoragePath(f"{store.bucket}/x.ndjson", conn_id="contract_azure_wrong")
        with pytest.raises(OSError, match=r"contract_azure_wrong@.*authenticate.* Nothing was published") as caught:
            publish_object(some(10), path)
        assert "\n" not in str(caught.value)
        assert store.keys() == []
