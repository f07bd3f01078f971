"""The contract of storages, kept by S3 (moto's server)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.s3 import S3, s3_server

from .contract import RemoteContract
from .refusing import Refusal, RefusingProxy

BUCKET = "contract"
EXPIRED = Refusal(
    403,
    {"Content-Type": "application/xml"},
    b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
)
UNKNOWN = Refusal(
    403,
    {"Content-Type": "application/xml"},
    b"<Error><Code>InvalidAccessKeyId</Code><Message>The key id does not exist.</Message></Error>",
)


class S3Store:
    bucket = f"s3://{BUCKET}"
    conn_id = "contract_s3"
    missing = ("s3://not-there", "contract_s3")
    refused = (bucket, "contract_s3_refused")
    #: The first part of two, after the request that begins the upload.
    requests_before = 1

    def __init__(self, server: S3, proxy: RefusingProxy) -> None:
        self._client = server.client()
        self._client.create_bucket(Bucket=BUCKET)
        self.proxy = proxy

    def keys(self) -> list[str]:
        return [each["Key"] for each in self._client.list_objects_v2(Bucket=BUCKET).get("Contents", [])]

    def content(self, key: str) -> bytes:
        body: bytes = self._client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def said(self, key: str) -> tuple[str | None, str | None]:
        head = self._client.head_object(Bucket=BUCKET, Key=key)
        return head["ContentType"], head.get("ContentEncoding")

    def leftovers(self) -> list[Any]:
        uploads: list[Any] = self._client.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return uploads

    def empty(self) -> None:
        for key in self.keys():
            self._client.delete_object(Bucket=BUCKET, Key=key)


@pytest.fixture(scope="module")
def served() -> Iterator[S3Store]:
    with ExitStack() as stack:
        server = stack.enter_context(s3_server())
        proxy = stack.enter_context(RefusingProxy(server.port, EXPIRED).running())
        closed = stack.enter_context(RefusingProxy(server.port, UNKNOWN, refuses_all=True).running())
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setenv("AIRFLOW_CONN_CONTRACT_S3", server.connection(proxy.url))
        patch.setenv("AIRFLOW_CONN_CONTRACT_S3_REFUSED", server.connection(closed.url))
        yield S3Store(server, proxy)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore", "ignore:datetime.datetime.utc:DeprecationWarning")
class TestS3(RemoteContract):
    @pytest.fixture
    def store(self, served: S3Store) -> Iterator[S3Store]:
        yield served
        served.empty()
