"""Builds the site of README.md and docs/: ``make docs``."""

from __future__ import annotations

import shutil
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

project = "airflow-provider-lp"
version = release = version_of(project)
language = "en"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
include_patterns = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/*.md", "docs/reference/*.rst"]
# For speed: nothing is looked for in there.
exclude_patterns = [".*", "build", "airflow_provider_lp", "dags_examples", "tests"]
root_doc = "README"
nitpicky = False

myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False

#: The pages in the order of the sidebar.
PAGES = {
    "Set up": ["connection", "installing", "sandbox", "examples"],
    "Export": ["conversations", "metrics", "sensors", "assets", "backfill"],
    "Use": ["making-tables", "tables", "loading", "privacy", "storage"],
    "Operate": ["guarantees", "scaling", "platform", "troubleshooting", "security"],
    "Reference": ["reference/operators", "reference/sensors", "reference/triggers", "reference/hooks"],
    "Project": ["how-it-is-built", "/CONTRIBUTING", "/SECURITY", "/CHANGELOG"],
}


def _with_sidebar(app: Sphinx, name: str, source: list[str]) -> None:
    """Tell Sphinx the order of the pages, which the README itself shows as a table."""
    if name != root_doc:
        return
    for caption, pages in PAGES.items():
        paths = [page if page.startswith("/") else f"/docs/{page}" for page in pages]
        there = [path for path in paths if path[1:] in app.project.docnames]
        source[0] += "\n".join(["", "```{toctree}", ":hidden:", f":caption: {caption}", "", *there, "```", ""])


def _with_index(app: Sphinx, failure: Exception | None) -> None:
    """Let the folder itself lead to the README."""
    if failure is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def setup(app: Sphinx) -> None:
    """What Sphinx calls."""
    app.connect("source-read", _with_sidebar)
    app.connect("build-finished", _with_index)
