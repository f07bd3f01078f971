"""An S3 on this machine: moto's server, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

REGION = "us-east-1"


@dataclass(frozen=True)
class S3:
    """
    A server. All of a process share their buckets.

    :param port: on this machine.
    """

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self) -> Any:
        """boto3's client."""
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.client("s3", endpoint_url=self.url, region_name=REGION, **keys)

    def resource(self) -> Any:
        """boto3's resource."""
        import boto3

        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        return boto3.resource("s3", endpoint_url=self.url, region_name=REGION, **keys)

    def connection(self, url: str | None = None) -> str:
        """
        The connection to it as Airflow takes it from the environment.

        :param url: what stands before it; default nothing does.
        """
        extra = {"endpoint_url": url or self.url, "region_name": REGION}
        return json.dumps({"conn_type": "aws", "login": "testing", "password": "testing", "extra": extra})


@contextmanager
def s3_server() -> Iterator[S3]:
    """A server as long as the block lasts; skips the test where moto or s3fs are missing."""
    pytest.importorskip("s3fs")
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield S3(server.get_host_and_port()[1])
    finally:
        server.stop()
