"""The example DAGs in a real Airflow, over the sandbox."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_lp.sandbox import Fault, Sandbox

from .airflow_process import Airflow, kill
from .conftest import EXAMPLES, TODAY, YESTERDAY
from .example_runs import run_all

BUCKET = "liveperson-nights"


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def truth(sandbox: Sandbox, time_field: str = "start") -> list[str]:
    return sandbox.account.truth(time_field, ms(YESTERDAY), ms(TODAY))


def ids(ndjson: bytes) -> list[str]:
    return [json.loads(line)["info"]["conversationId"] for line in ndjson.splitlines()]


def run_nightly(airflow: Airflow, dag_id: str = "liveperson_nightly_export") -> str:
    done = airflow.run("dags", "test", dag_id, TODAY.isoformat())
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def test_the_example_dags_parse(airflow_of: Callable[..., Airflow]) -> None:
    listed = airflow_of().run("dags", "list", "--local", "--output", "json").stdout
    for path in EXAMPLES.glob("*.py"):
        assert f'"{path}"' in listed, listed[-5000:]


def test_a_killed_night_leaves_nothing_and_its_rerun_is_whole_and_repeatable(
    airflow_of: Callable[..., Airflow], sandbox: Sandbox, tmp_path: Path
) -> None:
    # Its clock stands still: otherwise the duration of open conversations would run on between the two runs.
    sandbox.account.now = datetime.now(UTC)
    root = tmp_path / "export"
    airflow = airflow_of().connected_to(sandbox, AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=root.as_uri())
    published = root / "started" / f"date={YESTERDAY:%Y-%m-%d}" / "conversations.ndjson.gz"

    # After the sensor's two searches, and the first one of the export.
    sandbox.add_fault(Fault(kind="stall", seconds=60, after=3, times=None))
    process = airflow.start("dags", "test", "liveperson_nightly_export", TODAY.isoformat())
    wait_for(lambda: sum(seen.path.endswith("/conversations/search") for seen in sandbox.requests) >= 3, process)
    time.sleep(1)
    kill(process)
    process.communicate()
    assert [path for path in root.rglob("*") if path.is_file()] == []

    sandbox.clear_faults()
    said = run_all(airflow, [("nightly_export", TODAY, None)] * 2)
    content = published.read_bytes()
    assert ids(gzip.decompress(content)) == truth(sandbox)
    sums = re.findall(r'"sha256": "(\w+)"', said)
    assert len(sums) == 2
    assert set(sums) == {hashlib.sha256(content).hexdigest()}
    assert [path for path in root.rglob("*") if path.is_file()] == [published]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert process.poll() is None, process.communicate()[0][-5000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_night_of_closed_conversations_goes_to_s3(
    airflow_of: Callable[..., Airflow], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "sandbox")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        s3 = boto3.client("s3", endpoint_url=url)
        s3.create_bucket(Bucket=BUCKET)
        aws = {"conn_type": "aws", "extra": {"endpoint_url": url, "region_name": "us-east-1"}}
        airflow = airflow_of().connected_to(
            sandbox,
            AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=f"s3://aws_default@{BUCKET}/liveperson",
            AIRFLOW_CONN_AWS_DEFAULT=json.dumps(aws),
            AWS_ACCESS_KEY_ID=os.environ["AWS_ACCESS_KEY_ID"],
            AWS_SECRET_ACCESS_KEY=os.environ["AWS_SECRET_ACCESS_KEY"],
        )
        run_nightly(airflow, "liveperson_nightly_closed")
        key = f"liveperson/ended/date={YESTERDAY:%Y-%m-%d}/conversations.ndjson.gz"
        assert [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [key]
        body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert ids(gzip.decompress(body)) == truth(sandbox, "end")
    finally:
        server.stop()


def test_a_plain_daily_schedule_fails_with_the_remedy_and_succeeds_with_a_window(
    airflow_of: Callable[..., Airflow], sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = tmp_path / "export"
    dags = Path(__file__).parent / "dags"
    airflow = airflow_of(dags).connected_to(sandbox, EXPORT_FOLDER=folder.as_uri())

    plain = airflow.run("dags", "test", "plain_daily", TODAY.isoformat())
    assert "window=timedelta(days=1)" in plain.stdout
    assert "zero length" in plain.stdout
    assert "UP_FOR_RETRY" not in plain.stdout.upper()
    # Airflow prints the way through its own code, and that error alone.
    assert "LivePersonWindowError" not in plain.stdout
    assert set(re.findall(r"airflow_provider_lp/\S+", plain.stdout)) == {
        'airflow_provider_lp/operators/conversations.py",',
        'airflow_provider_lp/operators/base.py",',
    }
    assert sandbox.requests == []
    assert not folder.exists()

    output = run_nightly(airflow, "daily_with_window")
    assert ids((folder / "daily_with_window.ndjson").read_bytes()) == truth(sandbox), output[-5000:]
