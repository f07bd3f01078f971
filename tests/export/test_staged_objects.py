"""Publishing to a store that takes an object in one call."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.export.publishing import publish_batches
from airflow_provider_lp.export.spool import Batch
from tests.exported import connect, export, ids_in
from tests.fake_clock import FakeClock
from tests.samples import crowd

from .stored_batches import DAY_WINDOW, FAILURES, batches


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
