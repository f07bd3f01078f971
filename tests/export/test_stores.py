from __future__ import annotations

import errno
import os
import resource
import shutil
import socket
import stat
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
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
from airflow_provider_lp.windows import Window
from tests.exported import calls, connect, export, ids_in
from tests.fake_clock import FakeClock
from tests.s3 import s3_server
from tests.samples import at, crowd

from .test_paging import rows

DAY_WINDOW = Window(at(10), at(11))
FAILURES = (KeyboardInterrupt, SystemExit, RuntimeError, GeneratorExit)
SUFFIXES = ("", ".gz", ".zst")
#: Of these tests alone: all S3 servers of a process share their buckets.
BUCKET = "publishing"


def batches(
    size: int = 10, error: type[BaseException] | None = None, line: bytes = b'{"a":1}\n'
) -> Generator[Batch, None, None]:
    for _ in range(size):
        yield Batch(line * 100, rows(*range(100)))
    if error:
        raise error("stop")


@pytest.fixture(params=SUFFIXES)
def suffix(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    if chosen == ".zst":
        pytest.importorskip("backports.zstd")
    return chosen


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond ``size`` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# A local file.


def test_a_file_appears_when_it_is_complete(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"

    def watched() -> Generator[Batch, None, None]:
        for batch in batches():
            assert list(tmp_path.iterdir()) == []
            yield batch

    publish_batches(watched(), UPath(path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("earlier", [None, "earlier\n"])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    tmp_path: Path, suffix: str, failure: type[BaseException], earlier: str | None
) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    if earlier:
        path.write_text(earlier)
    before = list(tmp_path.iterdir())
    with pytest.raises(failure):
        publish_batches(batches(error=failure), UPath(path))
    assert list(tmp_path.iterdir()) == before
    assert not earlier or path.read_text() == earlier


def test_an_export_that_fails_after_some_pages_leaves_everything_as_it_was(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, suffix: str
) -> None:
    sandbox = sandbox_of(*crowd(900))
    sandbox.add_fault(Fault("error_500", times=None, after=6))
    path = tmp_path / f"x.ndjson{suffix}"
    path.write_text("earlier\n")
    with connect(sandbox, clock) as client, pytest.raises(LivePersonServerError):
        export(client, DAY_WINDOW, path)
    assert path.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_wait_leaves_everything_as_it_was(sandbox_of: Any, tmp_path: Path) -> None:
    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds:
                raise KeyboardInterrupt

    sandbox = sandbox_of(*crowd(900))
    sandbox.add_fault(Fault("throttle", times=1, after=4))
    with connect(sandbox, Interrupted()) as client, pytest.raises(KeyboardInterrupt):
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_replaces_the_object(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    publish_batches(batches(10), UPath(path))
    longer = path.read_bytes()
    publish_batches(batches(1, line=b'{"b":2}\n'), UPath(path))
    assert path.read_bytes() != longer
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.ndjson"
    publish_batches(batches(), UPath(path))
    assert path.stat().st_size == 8_000


def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        publish_batches(batches(), UPath(tmp_path / "x.ndjson"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.ndjson").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.ndjson").write_text("earlier")
    (tmp_path / "x.ndjson").symlink_to(tmp_path / "real" / "x.ndjson")
    publish_batches(batches(), UPath(tmp_path / "x.ndjson"))
    assert (tmp_path / "x.ndjson").is_symlink()
    assert (tmp_path / "real" / "x.ndjson").stat().st_size == 8_000


@pytest.mark.parametrize(
    "name", ["日" * 80 + ".ndjson", "x" * 248 + ".ndjson", "with space & ünï.ndjson", "%41#?.ndjson"]
)
def test_any_name_that_the_file_system_takes_will_do(tmp_path: Path, name: str) -> None:
    publish_batches(batches(), UPath(tmp_path / name))
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    path.write_text("earlier\n")
    with pytest.raises(OSError, match="too large") as caught, full_disk(20_000):
        publish_batches((Batch(os.urandom(10_000).hex().encode() + b"\n", rows(1)) for _ in range(10)), UPath(path))  # type: ignore[arg-type]
    assert caught.value.errno == errno.EFBIG
    assert str(path) in str(caught.value)
    assert path.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [path]


def test_no_room_for_the_spool_is_an_error_too(sandbox_of: Any, clock: FakeClock, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(900))
    with connect(sandbox, clock) as client, pytest.raises(OSError, match=r"too large.*TMPDIR"), full_disk(200_000):
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["a folder", "below a file", "unwritable", "below a dangling link"])
def test_a_path_that_cannot_be_written_is_refused_before_any_search(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.ndjson"
    if kind == "a folder":
        path.mkdir()
    elif kind == "below a file":
        path.write_text("")
        path = path / "y.ndjson"
    elif kind == "unwritable":
        path = Path("/proc/x.ndjson")
    else:
        (tmp_path / "link").symlink_to("/proc/nowhere")
        path = tmp_path / "link" / "y.ndjson"
    sandbox = sandbox_of(*crowd(3))
    with (
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonConfigurationError, match="cannot be written") as caught,
    ):
        export(client, DAY_WINDOW, path)
    assert str(path) in str(caught.value)
    assert not sandbox.requests


@pytest.mark.parametrize("url", ["file://{}", "local://{}", "{}"])
def test_local_urls_are_files(tmp_path: Path, url: str) -> None:
    publish_batches(batches(), UPath(url.format(tmp_path / "x.ndjson")))
    assert (tmp_path / "x.ndjson").stat().st_size == 8_000


@pytest.mark.parametrize("kind", ["a fifo", "a socket", "a device", "a link to a device"])
def test_what_is_no_file_is_refused_and_stays(sandbox_of: Any, clock: FakeClock, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.ndjson"
    listening = socket.socket(socket.AF_UNIX)
    if kind == "a fifo":
        os.mkfifo(path)
    elif kind == "a socket":
        listening.bind(str(path))
    elif kind == "a device":
        path = Path(os.devnull)
    else:
        path.symlink_to(os.devnull)
    sandbox = sandbox_of(*crowd(3))
    with (
        closing(listening),
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonConfigurationError, match=rf"cannot be written: there is {kind.split(' to ')[-1]}"),
    ):
        export(client, DAY_WINDOW, path)
    assert not sandbox.requests
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert not path.is_file()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_of_the_file_that_is_replaced_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text("earlier")
    path.chmod(mode)
    publish_batches(batches(), UPath(path))
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.stat().st_size == 8_000


def test_a_name_that_is_too_long_is_found_out_before_any_search(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path
) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        for path in (tmp_path / ("x" * 256), tmp_path / ("y" * 300) / "x.ndjson"):
            with pytest.raises(LivePersonConfigurationError, match="cannot be written: File name too long"):
                export(client, DAY_WINDOW, path)
    assert not sandbox.requests
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_meanwhile_is_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "folder"

    def watched() -> Generator[Batch, None, None]:
        yield from batches(1)
        shutil.rmtree(folder)

    with pytest.raises(OSError, match=r"writing to .*folder/x.ndjson. Nothing was published. Its folder has gone"):
        publish_batches(watched(), UPath(folder / "x.ndjson"))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def without_nameless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that does not have them."""
    monkeypatch.delattr(os, "O_TMPFILE")


@pytest.mark.usefixtures("without_nameless_files")
def test_without_nameless_files_it_is_the_same_but_for_a_hidden_name(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"

    def watched(error: type[BaseException] | None = None) -> Generator[Batch, None, None]:
        assert [each.name.startswith(".liveperson-") for each in tmp_path.iterdir()] == [True]
        yield from batches(error=error)

    with pytest.raises(RuntimeError):
        publish_batches(watched(RuntimeError), UPath(path))
    assert list(tmp_path.iterdir()) == []
    publish_batches(watched(), UPath(path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("without_nameless_files")
@pytest.mark.parametrize("fails_at", [1, 2])
def test_where_files_cannot_be_renamed_it_is_found_out_before_any_search(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    replace = os.replace
    renamed = 0

    def refuse(old: Any, new: Any) -> None:
        nonlocal renamed
        renamed += 1
        if renamed == fails_at:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        replace(old, new)

    monkeypatch.setattr(os, "replace", refuse)
    sandbox = sandbox_of(*crowd(3))
    with (
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonConfigurationError, match=r"cannot rename files \(Function.*bucket by its URL"),
    ):
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert not sandbox.requests
    assert list(tmp_path.iterdir()) == []


# A store that takes an object in one call.


def memory(name: str = "folder/x.ndjson") -> UPath:
    path = UPath(f"memory://{name}")
    path.fs.store.clear()
    return path


def test_a_staged_object_appears_when_it_is_complete(suffix: str) -> None:
    path = memory(f"folder/x.ndjson{suffix}")

    def watched() -> Generator[Batch, None, None]:
        for batch in batches():
            assert not path.exists()
            yield batch

    written = publish_batches(watched(), path)
    assert len(path.read_bytes()) == written.bytes


@pytest.mark.parametrize("failure", FAILURES)
def test_a_staged_object_that_fails_leaves_everything_as_it_was(suffix: str, failure: type[BaseException]) -> None:
    path = memory(f"folder/x.ndjson{suffix}")
    path.write_text("earlier")
    with pytest.raises(failure):
        publish_batches(batches(error=failure), path)
    assert path.read_text() == "earlier"
    assert len(path.fs.store) == 1


def test_a_store_that_fails_at_the_end_is_named() -> None:
    path = memory()

    def refuse(*_: Any) -> None:
        raise RuntimeError("SlowDown")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path.fs, "put_file", refuse, raising=False)
        with pytest.raises(OSError, match=r"to memory://.*x.ndjson: SlowDown. Whether it was published is not"):
            publish_batches(batches(), path)
    assert not path.exists()


class Unreachable:
    """A store at which an upload cannot even be begun, and says so by no error of files."""

    protocol = "s3"
    path = "bucket/x.ndjson"

    @property
    def fs(self) -> Any:
        return self

    def open(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("Could not connect to the endpoint")

    def __str__(self) -> str:
        return "s3://bucket/x.ndjson"


def test_a_store_that_cannot_be_reached_is_named() -> None:
    with pytest.raises(OSError, match=r"to s3://bucket/x.ndjson: Could not connect.*Nothing was published"):
        publish_batches(batches(), Unreachable())


def test_staging_leaves_no_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    publish_batches(batches(), memory())
    with pytest.raises(RuntimeError):
        publish_batches(batches(error=RuntimeError), memory())
    assert list(tmp_path.iterdir()) == []


def test_a_whole_export_goes_into_a_staged_store(sandbox_of: Any, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(250))
    with connect(sandbox, FakeClock()) as client:
        summary = export(client, DAY_WINDOW, str(memory()))
    (tmp_path / "x").write_bytes(UPath("memory://folder/x.ndjson").read_bytes())
    assert ids_in(tmp_path / "x") == [f"c{number:05}" for number in range(250)]
    assert summary["path"].startswith("memory://")


# S3.


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
