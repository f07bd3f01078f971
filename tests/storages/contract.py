"""What every storage must keep to: the same tests against each, over Airflow's connections."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Generator
from typing import Any, Protocol

import pendulum
import pytest

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.compat import AirflowFailException, ObjectStoragePath
from airflow_provider_lp.export.labels import earlier_at
from airflow_provider_lp.export.publishing import publish_object
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.sandbox import Sandbox
from airflow_provider_lp.windows import Window
from tests.exported import ids_in_bytes
from tests.operators.conftest import connection_to
from tests.samples import at, crowd

from .refusing import RefusingProxy

DAY = {"data_interval_start": pendulum.datetime(2026, 3, 10), "data_interval_end": pendulum.datetime(2026, 3, 11)}
FAILURES = (RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit)
#: More than a store takes in one request, so that it comes in parts; and less.
LARGE, SMALL = 12 << 20, 1_000
ODD_NAMES = (
    "a b.ndjson", "Überblick 日.ndjson", "100%.ndjson", "%41.ndjson", "a#b.ndjson", "a?b=c.ndjson", "a+b&c.ndjson",
)  # fmt: skip


class Store(Protocol):
    """A store on this machine, and what its own client sees in it."""

    #: The URL of its bucket or container, without a connection.
    bucket: str
    #: The Airflow connection that may do everything.
    conn_id: str

    def keys(self) -> list[str]:
        """The objects in the bucket."""

    def content(self, key: str) -> bytes:
        """One of them."""

    def said(self, key: str) -> tuple[str | None, str | None]:
        """Its content type and encoding."""

    def leftovers(self) -> list[Any]:
        """What takes space and is no object, such as parts of uploads."""


class RemoteStore(Store, Protocol):
    """One that is reached over HTTP."""

    #: URL and connection of a bucket that is not there.
    missing: tuple[str, str]
    #: The same of credentials that are refused.
    refused: tuple[str, str]
    #: Stands between the store and its client.
    proxy: RefusingProxy
    #: How many requests with a body come before the one to refuse in the middle of a large object.
    requests_before: int


def some(size: int, error: type[BaseException] | None = None, fill: bytes = b"x") -> Generator[bytes, None, None]:
    """So many bytes, and perhaps an error after them."""
    for first in range(0, size, 1 << 20):
        yield fill * min(1 << 20, size - first)
    if error is not None:
        raise error("stop")


class StorageContract:
    """The contract. A class of tests for a storage has a fixture ``store``."""

    def at(self, store: Store, key: str) -> ObjectStoragePath:
        return ObjectStoragePath(f"{store.bucket}/{key}", conn_id=store.conn_id)

    @pytest.mark.parametrize("size", [0, SMALL, LARGE])
    def test_an_object_appears_when_it_is_whole(self, store: Store, size: int) -> None:
        def watched() -> Generator[bytes, None, None]:
            for each in some(size):
                yield each
                assert store.keys() == []

        published = publish_object(watched(), self.at(store, "a/x.ndjson"))
        assert store.keys() == ["a/x.ndjson"]
        content = store.content("a/x.ndjson")
        assert (len(content), hashlib.sha256(content).hexdigest()) == (published.bytes, published.sha256)
        assert published.bytes == size
        assert store.leftovers() == []

    @pytest.mark.parametrize("failure", FAILURES)
    def test_an_exception_leaves_what_was_there_and_nothing_else(
        self, store: Store, failure: type[BaseException]
    ) -> None:
        publish_object(some(SMALL, fill=b"earlier"), self.at(store, "x.ndjson"))
        earlier = store.content("x.ndjson")
        for size in (SMALL, LARGE):
            with pytest.raises(failure):
                publish_object(some(size, failure), self.at(store, "x.ndjson"))
            with pytest.raises(failure):
                publish_object(some(size, failure), self.at(store, "new.ndjson"))
        assert store.keys() == ["x.ndjson"]
        assert store.content("x.ndjson") == earlier
        assert store.leftovers() == []

    def test_what_was_published_is_replaced_at_the_end_only(self, store: Store) -> None:
        publish_object(some(SMALL, fill=b"earlier"), self.at(store, "x.ndjson"))
        earlier = store.content("x.ndjson")

        def watched() -> Generator[bytes, None, None]:
            for each in some(LARGE):
                yield each
                assert store.content("x.ndjson") == earlier

        publish_object(watched(), self.at(store, "x.ndjson"))
        assert len(store.content("x.ndjson")) == LARGE
        publish_object(some(SMALL), self.at(store, "x.ndjson"))
        assert len(store.content("x.ndjson")) == SMALL

    @pytest.mark.parametrize("name", ODD_NAMES)
    def test_odd_names_are_those_of_objects(self, store: Store, name: str) -> None:
        publish_object(some(SMALL), self.at(store, f"odd names/{name}"))
        assert store.keys() == [f"odd names/{name}"]
        assert self.at(store, f"odd names/{name}").read_bytes() == store.content(f"odd names/{name}")

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("x.ndjson", "application/x-ndjson"),
            ("x.ndjson.gz", "application/gzip"),
            ("x.ndjson.zst", "application/zstd"),
            ("x.parquet", "application/vnd.apache.parquet"),
        ],
    )
    def test_an_object_says_what_it_is_and_claims_no_encoding(self, store: Store, name: str, expected: str) -> None:
        from airflow_provider_lp.export.stores import publication

        with publication(self.at(store, name)) as target:
            target.write(b"x")
            target.commit()
        content_type, encoding = store.said(name)
        assert content_type in (expected, None)
        # Otherwise readers would take the compression off by themselves, and not find what the sha256 is of.
        assert not encoding

    def test_an_object_says_for_which_window_it_was_exported(self, store: Store) -> None:
        day, hour = Window(at(10), at(11)), Window(at(10), at(10, 1))
        path = self.at(store, "a/x.ndjson")
        assert earlier_at(path) is None
        # As a last step after the object itself, or with it: never that of the object before.
        for window in (day, hour, None):
            publish_object(some(SMALL), path, window=window)
            assert earlier_at(path) == (window,)
            assert store.keys() == ["a/x.ndjson"]

    @pytest.mark.parametrize("is_in_url", [False, True], ids=["storage_conn_id", "conn@bucket"])
    def test_an_export_is_exact_and_repeats_by_connection(
        self, store: Store, is_in_url: bool, monkeypatch: pytest.MonkeyPatch, sandbox_of: Any
    ) -> None:
        sandbox: Sandbox = sandbox_of(*crowd(250))
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", connection_to(sandbox))
        scheme, _, rest = store.bucket.partition("://")
        bucket = f"{scheme}://{store.conn_id}@{rest}" if is_in_url else store.bucket
        export = LivePersonConversationsOperator(
            task_id="export",
            path=f"{bucket}/date={{start:%Y-%m-%d}}/x.ndjson.gz",
            storage_conn_id=None if is_in_url else store.conn_id,
        )
        contents = []
        for _ in range(2):
            summary = export.execute(DAY)
            content = store.content("date=2026-03-10/x.ndjson.gz")
            assert (summary["bytes"], summary["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
            contents.append(content)
        assert contents[0] == contents[1]
        assert ids_in_bytes(gzip.decompress(contents[0])) == [f"c{number:05}" for number in range(250)]
        assert store.keys() == ["date=2026-03-10/x.ndjson.gz"]
        assert json.dumps(summary)


class RemoteContract(StorageContract):
    """What a storage keeps to besides that is reached over a network."""

    def test_a_store_that_fails_midway_leaves_what_was_there(self, store: RemoteStore) -> None:
        publish_object(some(SMALL, fill=b"earlier"), self.at(store, "x.ndjson"))
        earlier = store.content("x.ndjson")
        store.proxy.passes = store.requests_before
        try:
            with pytest.raises(
                OSError, match=r"failed while writing to .*x\.ndjson: .*published.*Airflow retry"
            ) as caught:
                publish_object(some(LARGE), self.at(store, "x.ndjson"))
        finally:
            store.proxy.passes = None
        assert store.proxy.refused
        assert f"{store.conn_id}@" in str(caught.value)
        assert store.keys() == ["x.ndjson"]
        assert store.content("x.ndjson") == earlier
        assert store.leftovers() == []

    def test_a_missing_bucket_is_named_before_anything_is_asked_for(self, store: RemoteStore) -> None:
        url, conn_id = store.missing
        self._refuses(url, conn_id, r"there is no bucket or container .*Create it")

    def test_who_may_not_look_learns_nothing_of_earlier_objects_and_may_still_write(self, store: RemoteStore) -> None:
        url, conn_id = store.refused
        assert earlier_at(ObjectStoragePath(f"{url}/x.ndjson", conn_id=conn_id)) is None

    def test_a_missing_bucket_holds_no_earlier_object(self, store: RemoteStore) -> None:
        url, conn_id = store.missing
        assert earlier_at(ObjectStoragePath(f"{url}/x.ndjson", conn_id=conn_id)) is None

    def test_refused_credentials_are_named_before_anything_is_asked_for(self, store: RemoteStore) -> None:
        url, conn_id = store.refused
        self._refuses(url, conn_id, rf"does not take the credentials.*Airflow connection {conn_id!r}")

    def _refuses(self, url: str, conn_id: str, said: str) -> None:
        asked: list[None] = []

        def content() -> Generator[bytes, None, None]:
            asked.append(None)
            yield b"x"

        with pytest.raises(LivePersonConfigurationError, match=said) as caught:
            publish_object(content(), ObjectStoragePath(f"{url}/x.ndjson", conn_id=conn_id))
        assert f"{conn_id}@" in str(caught.value)
        assert asked == []

    def test_an_export_to_a_missing_bucket_fails_for_good_without_a_request(
        self, store: RemoteStore, monkeypatch: pytest.MonkeyPatch, sandbox_of: Any
    ) -> None:
        sandbox: Sandbox = sandbox_of(*crowd(3))
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", connection_to(sandbox))
        url, conn_id = store.missing
        export = LivePersonConversationsOperator(task_id="export", path=f"{url}/x.ndjson", storage_conn_id=conn_id)
        with pytest.raises(AirflowFailException, match="there is no bucket or container"):
            export.execute(DAY)
        assert not [call for call in sandbox.requests if "conversations" in call.path]
