"""That the pages say what the code does, where that can be read from the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_provider_lp.client.version_table import as_markdown
from airflow_provider_lp.export.redaction.preset import PERSONAL, PRESETS
from airflow_provider_lp.operators import stats

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
MAP = ROOT / "docs" / "how-it-is-built.md"


def test_the_readme_prints_the_versions_that_the_code_asks() -> None:
    assert as_markdown() in README


def test_the_page_on_personal_data_prints_the_preset_that_the_code_applies() -> None:
    assert PRESETS[PERSONAL].as_markdown() in (ROOT / "docs" / "privacy.md").read_text()


def test_the_page_on_the_platform_prints_the_counters_that_the_code_knows() -> None:
    assert stats.as_markdown() in (ROOT / "docs" / "platform.md").read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`([a-z_/]+(?:\.py|/))`", MAP.read_text()))))
def test_the_map_names_what_is_there(name: str) -> None:
    package = ROOT / "airflow_provider_lp"
    assert (ROOT / name).exists() or (package / name).exists() or list(package.rglob(name)), f"nowhere is a {name}"


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda page: page.name
)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
