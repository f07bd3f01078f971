"""That the pages say what the code does, where that can be read from the code."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow import __version__ as airflow_version
from packaging.version import Version

from airflow_provider_lp.client.version_table import as_markdown
from airflow_provider_lp.export.redaction.preset import PERSONAL, PRESETS
from airflow_provider_lp.get_provider_info import CONNECTION_FIELDS, UI_FIELD_BEHAVIOUR, get_provider_info
from airflow_provider_lp.operators import stats

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
MAP = DOCS / "how-it-is-built.md"
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
REFERENCE = {
    name
    for page in (DOCS / "reference").glob("*.rst")
    for name in re.findall(r"autoclass:: (\S+)", page.read_text())
    if page.stem != "hooks"
}


def name_of(value: Any) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


def blocks(page: Path, language: str) -> list[str]:
    found = BLOCK.findall(page.read_text())
    return [inspect.cleandoc(text) for _, its_language, text in found if its_language == language]


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_page_on_metrics_prints_the_versions_that_the_code_asks() -> None:
    assert as_markdown() in (DOCS / "metrics.md").read_text()


def test_the_page_on_personal_data_prints_the_preset_that_the_code_applies() -> None:
    assert PRESETS[PERSONAL].as_markdown() in (DOCS / "privacy.md").read_text()


def test_the_page_on_the_platform_prints_the_counters_that_the_code_knows() -> None:
    assert stats.as_markdown() in (DOCS / "platform.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_/]+(?:\.py|/))`", MAP.read_text()))))
def test_the_map_names_what_is_there(name: str) -> None:
    package = ROOT / "airflow_provider_lp"
    assert (ROOT / name).exists() or (package / name).exists() or list(package.rglob(name)), f"nowhere is a {name}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", page.read_text())
    for link, _, heading in re.findall(r"\]\(([^)#:]*)(#([^)]+))?\)", prose):
        target = page.parent / link if link else page
        assert target.exists(), f"{link} is not there"
        if heading:
            headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", target.read_text()), re.MULTILINE)
            assert heading in map(slug, headings), f"{target.name} has no heading {heading}"


def test_the_readme_is_short_and_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert readme.count("\n") <= 140
    sidebar = (DOCS / "conf.py").read_text()
    for page in DOCS.glob("*.md"):
        assert f"(docs/{page.name}" in readme, f"the README's table must name {page.name}"
        assert f'"{page.stem}"' in sidebar, f"PAGES of docs/conf.py must name {page.stem}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_is_to_be_copied_can_be_read(page: Path) -> None:
    for text in blocks(page, "json"):
        json.loads(text)
    shell = subprocess.run(["bash", "-n"], input="\n".join(blocks(page, "bash")), text=True, capture_output=True)
    assert shell.stderr == ""
    assert re.findall(r"^ *```\n(?! *\S+\n *```)", BLOCK.sub("", page.read_text()), re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_pages_use_of_this_package_they_import(page: Path) -> None:
    known: set[str] = set()
    for text in blocks(page, "python"):
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("airflow_provider_lp"):
                module = importlib.import_module(str(node.module))
                assert [each.name for each in node.names if not hasattr(module, each.name)] == []
                known |= {each.asname or each.name for each in node.names}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id.startswith("LivePerson")}
        assert used <= known, f"{page.name} does not say where to import {', '.join(sorted(used - known))} from"


def dag_of(page: Path) -> dict[str, Any]:
    """The names that the first DAG file of a page makes, on this Airflow."""
    text = blocks(page, "python")[0]
    if Version(airflow_version).major == 2:
        text = re.sub(r"from airflow.sdk import DAG  # on Airflow 2.11: (.*)", r"\1", text)
    names: dict[str, Any] = {}
    exec(compile(text, page.stem, "exec"), names)
    return names


def test_the_dag_of_the_readme_is_one() -> None:
    names = dag_of(ROOT / "README.md")
    assert names["export"].upstream_task_ids == {"ready"}
    assert names["export"].pool == "liveperson"
    assert names["export"].dag.dag_id == "liveperson_nightly"


def test_the_dag_of_the_page_on_long_periods_is_one() -> None:
    dag = dag_of(DOCS / "backfill.md")["plan"].dag
    assert {task.task_id: task.upstream_task_ids for task in dag.tasks} == {
        "plan": set(),
        "export": {"plan"},
        "prove": {"export"},
    }
    assert {getattr(task, "partial_kwargs", vars(task))["pool"] for task in dag.tasks} == {"liveperson"}


def public_classes() -> Iterator[str]:
    """What DAG authors name: the classes of the provider's modules from which no other one is made."""
    for kind in ("operators", "sensors", "triggers"):
        for entry in get_provider_info()[kind]:
            for module in map(importlib.import_module, entry["python-modules"]):
                for name, each in inspect.getmembers(module, inspect.isclass):
                    is_own = each.__module__ == module.__name__ and name.startswith("LivePerson")
                    if is_own and not each.__subclasses__():
                        yield f"{module.__name__}.{name}"


def test_the_reference_has_each_public_class() -> None:
    internal = {"airflow_provider_lp.triggers.condition.LivePersonConditionTrigger"}
    assert set(public_classes()) - internal == REFERENCE


def arguments_of(path: str) -> set[str]:
    module, _, name = path.rpartition(".")
    bases = getattr(importlib.import_module(module), name).__mro__
    own = [each for each in bases if each.__module__.startswith("airflow_provider_lp") and "__init__" in vars(each)]
    signatures = [inspect.signature(vars(each)["__init__"]) for each in own]
    return {
        parameter.name
        for signature in signatures
        for parameter in signature.parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    }


@pytest.mark.parametrize("path", sorted(REFERENCE))
def test_tables_of_arguments_are_complete(path: str) -> None:
    name = path.rpartition(".")[2]
    found = [
        section[1]
        for page in DOCS.glob("*.md")
        for section in re.finditer(rf"^##+ `{name}`\n(.*?)(?=^#|\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    ]
    assert len(found) == 1, f"one page of docs/ must have a heading with {name}"
    rows = re.findall(r"^\| (`[^|]*`) \|", found[0], re.MULTILINE)
    assert {argument for row in rows for argument in re.findall(r"`(\w+)`", row)} == arguments_of(path)


def test_the_table_of_the_connection_names_each_field_as_the_form_does() -> None:
    rows = re.findall(r"^\| (?:extra )?`(\w+)` \| ([^|]+) \|", (DOCS / "connection.md").read_text(), re.MULTILINE)
    extras = {name: field["label"] for name, field in CONNECTION_FIELDS.items()}
    assert dict(rows) == {**extras, **UI_FIELD_BEHAVIOUR["relabeling"]}


def texts_in_the_code() -> str:
    """All texts of the package; what differs from case to case is an ellipsis."""
    texts = []
    for file in (ROOT / "airflow_provider_lp").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(each.value if isinstance(each, ast.Constant) else "…" for each in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return "\n".join(texts)


def longest_run(words: list[str], code: str) -> int:
    """How many words that follow each other stand so in the code."""
    runs = [words[first:last] for first in range(len(words)) for last in range(first + 1, len(words) + 1)]
    return max((len(run) for run in runs if " ".join(run) in code), default=0)


def test_messages_are_printed_as_the_page_on_trouble_has_them() -> None:
    code = texts_in_the_code()
    rows = re.findall(r"^\| (.*?) \|", (DOCS / "troubleshooting.md").read_text(), re.MULTILINE)
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row) if message.count(" ") > 2]
    assert len(messages) > 50
    # Not all: names and numbers are filled in, and here and there a whole clause.
    unknown = [each for each in messages if longest_run(each.split(), code) < max(2, len(each.split()) // 3)]
    assert unknown == []
