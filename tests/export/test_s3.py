"""Publishing to S3."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonServerError
from airflow_provider_lp.export import stores
from airflow_provider_lp.export.publishing import publish_batches
from airflow_provider_lp.export.spool import Batch
from airflow_provider_lp.export.stores import publication
from airflow_provider_lp.sandbox import Fault
from tests.exported import calls, connect, ids_in
from tests.fake_clock import FakeClock
from tests.s3 import s3_server
from tests.samples import crowd

from .stored_batches import BUCKET, DAY_WINDOW, FAILURES, batches


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, Any]]:
    with s3_server() as server:
        options = {
            "key": "testing",
            "secret": "testing",
            "endpoint_url": server.url,
            "client_kwargs": {"region_name": "us-east-1"},
        }
        admin = server.client()
        admin.create_bucket(Bucket=BUCKET)
        yield {"options": options, "admin": admin}


@pytest.fixture
def bucket(s3: dict[str, Any]) -> Iterator[Any]:
    admin = s3["admin"]
    yield admin
    for each in admin.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        admin.delete_object(Bucket=BUCKET, Key=each["Key"])


def on_s3(s3: dict[str, Any], name: str = f"{BUCKET}/folder/x.ndjson") -> UPath:
    return UPath(f"s3://{name}", **s3["options"])


def keys(admin: Any) -> list[str]:
    return [each["Key"] for each in admin.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def open_uploads(admin: Any) -> list[Any]:
    found: list[Any] = admin.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return found


def content(admin: Any, key: str = "folder/x.ndjson") -> bytes:
    body: bytes = admin.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


@pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore", "ignore:datetime.datetime.utc:DeprecationWarning")
class TestS3:
    """Against a real HTTP server that speaks S3."""

    @pytest.mark.parametrize("size", [0, 1, 12])
    def test_an_object_appears_when_it_is_complete(self, s3: Any, bucket: Any, size: int) -> None:
        line = b"x" * 9_999 + b"\n"

        def watched() -> Generator[Batch, None, None]:
            for batch in batches(size, line=line):
                assert keys(bucket) == []
                yield batch

        written = publish_batches(watched(), on_s3(s3))
        assert keys(bucket) == ["folder/x.ndjson"]
        assert content(bucket) == line * 100 * size
        assert written.bytes == 1_000_000 * size
        assert open_uploads(bucket) == []

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("x.ndjson", "application/x-ndjson"),
            ("x.ndjson.GZ", "application/gzip"),
            ("x.csv", "text/csv"),
            ("x.parquet", "application/vnd.apache.parquet"),
            ("date=2026.01.31/x", "binary/octet-stream"),
        ],
    )
    def test_an_object_says_what_it_is(self, s3: Any, bucket: Any, name: str, said: str) -> None:
        with publication(on_s3(s3, f"{BUCKET}/{name}")) as target:
            target.write(b"x")
            target.commit()
        head = bucket.head_object(Bucket=BUCKET, Key=name)
        assert head["ContentType"] == said
        # Otherwise readers would take the compression off by themselves, and not find what the sha256 is of.
        assert "ContentEncoding" not in head

    @pytest.mark.parametrize("failure", FAILURES)
    @pytest.mark.parametrize("size", [1, 12])
    def test_a_failure_leaves_neither_object_nor_upload(
        self, s3: Any, bucket: Any, size: int, failure: type[BaseException]
    ) -> None:
        bucket.put_object(Bucket=BUCKET, Key="folder/x.ndjson", Body=b"earlier")
        with pytest.raises(failure):
            publish_batches(batches(size, failure, line=b"x" * 9_999 + b"\n"), on_s3(s3))
        import gc

        gc.collect()
        assert keys(bucket) == ["folder/x.ndjson"]
        assert content(bucket) == b"earlier"
        assert open_uploads(bucket) == []

    def test_all_parts_but_the_last_are_of_one_size(
        self, s3: Any, bucket: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        part_bytes = 5 << 20
        monkeypatch.setattr(stores, "UPLOAD_PART_BYTES", part_bytes)
        sizes: list[int] = []
        with publication(on_s3(s3)) as target:
            for size in (part_bytes - 1, 3, 2 * part_bytes + 7, 1):
                target.write(b"x" * size)
            (upload,) = open_uploads(bucket)
            parts = bucket.list_parts(Bucket=BUCKET, Key="folder/x.ndjson", UploadId=upload["UploadId"])["Parts"]
            sizes = [part["Size"] for part in parts]
            target.commit()
        assert sizes == [part_bytes] * 3
        assert len(content(bucket)) == 3 * part_bytes + 10

    def test_a_store_that_fails_midway_is_named_and_nothing_is_published(self, s3: Any, bucket: Any) -> None:
        def watched() -> Generator[Batch, None, None]:
            yield from batches(1, line=b"x" * 9_999 + b"\n")
            for upload in open_uploads(bucket):
                bucket.abort_multipart_upload(Bucket=BUCKET, Key="folder/x.ndjson", UploadId=upload["UploadId"])
            yield from batches(12, line=b"x" * 9_999 + b"\n")

        with pytest.raises(
            OSError,
            match=r"writing to s3://publishing/folder/x.ndjson: .* Nothing was published.*Airflow retry",
        ):
            publish_batches(watched(), on_s3(s3))
        assert keys(bucket) == []

    def test_a_key_that_is_too_long_fails_before_any_search(self, s3: Any, sandbox_of: Any, clock: FakeClock) -> None:
        from airflow_provider_lp.export.conversations import export_conversations
        from tests.exported import query_of

        sandbox = sandbox_of(*crowd(3))
        with connect(sandbox, clock) as client, pytest.raises(LivePersonConfigurationError, match="name too long"):
            export_conversations(client, query_of(DAY_WINDOW), on_s3(s3, f"{BUCKET}/{'x' * 1025}"))
        assert not calls(sandbox)

    def test_nothing_is_published_where_nothing_was_found_and_that_is_not_wanted(self, s3: Any, bucket: Any) -> None:
        publish_batches(batches(0), on_s3(s3), publish_empty=False)
        assert keys(bucket) == []
        assert open_uploads(bucket) == []

    def test_an_object_replaces_an_earlier_one(self, s3: Any, bucket: Any) -> None:
        publish_batches(batches(2), on_s3(s3))
        publish_batches(batches(1), on_s3(s3))
        assert len(content(bucket)) == 800

    def test_a_missing_bucket_fails_before_any_search(self, s3: Any, sandbox_of: Any, clock: FakeClock) -> None:
        from airflow_provider_lp.export.conversations import export_conversations
        from tests.exported import query_of

        sandbox = sandbox_of(*crowd(3))
        with connect(sandbox, clock) as client, pytest.raises(LivePersonConfigurationError, match="no-such-bucket"):
            export_conversations(client, query_of(DAY_WINDOW), on_s3(s3, "no-such-bucket/x.ndjson"))
        assert not calls(sandbox)

    def test_a_whole_export_is_gzipped_into_a_bucket(
        self, s3: Any, bucket: Any, sandbox_of: Any, tmp_path: Path
    ) -> None:
        import hashlib

        from airflow_provider_lp.export.conversations import export_conversations
        from tests.exported import query_of

        sandbox = sandbox_of(*crowd(350))
        with connect(sandbox, FakeClock()) as client:
            summary = export_conversations(client, query_of(DAY_WINDOW), on_s3(s3, f"{BUCKET}/x.ndjson.gz"))
        stored = content(bucket, "x.ndjson.gz")
        assert summary["sha256"] == hashlib.sha256(stored).hexdigest()
        assert summary["bytes"] == len(stored)
        (tmp_path / "x.gz").write_bytes(stored)
        assert ids_in(tmp_path / "x.gz") == [f"c{number:05}" for number in range(350)]

    def test_an_export_that_fails_leaves_no_upload(
        self, s3: Any, bucket: Any, sandbox_of: Any, clock: FakeClock
    ) -> None:
        from airflow_provider_lp.export.conversations import export_conversations
        from tests.exported import query_of

        sandbox = sandbox_of(*crowd(900))
        sandbox.add_fault(Fault("error_500", times=None, after=6))
        with connect(sandbox, clock) as client, pytest.raises(LivePersonServerError):
            export_conversations(client, query_of(DAY_WINDOW), on_s3(s3))
        assert keys(bucket) == []
        assert open_uploads(bucket) == []


def test_what_was_not_committed_was_not_published(tmp_path: Path) -> None:
    with publication(UPath(tmp_path / "x")) as target:
        target.write(b"x")
    assert list(tmp_path.iterdir()) == []
