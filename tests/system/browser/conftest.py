"""Chromium in front of a real Airflow; skipped, with the reason, where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Sandbox
from tests.system.airflow_process import Airflow
from tests.system.conftest import EXAMPLES
from tests.system.rest_api import ALL_ARE_ADMINS, RestApi
from tests.system.services import RunningAirflow, running

#: What Debian, others and Google call it.
BINARIES = ("chromium", "chromium-browser", "google-chrome")
#: The variable that names a folder for the pictures; without it they are thrown away.
PICTURES = "SCREENSHOTS"
PATIENCE_MS = 60_000
EXAMPLE = "nightly_tables.py"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """A browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-browser")
    binary = next(filter(None, map(shutil.which, BINARIES)), None)
    if binary is None:
        pytest.skip(f"no browser: none of {', '.join(BINARIES)} is on the PATH (apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root.
        browser = playwright.chromium.launch(executable_path=binary, chromium_sandbox=os.geteuid() != 0)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def account(chromium: Any) -> Iterator[Sandbox]:
    """The LivePerson that is logged in to."""
    with Sandbox(account=Account(now=datetime.now(UTC))) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def airflow_ui(
    chromium: Any, account: Sandbox, prepared_airflow: Airflow, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAirflow]:
    """An Airflow as a newcomer has it, with one example DAG and nothing else."""
    folder = tmp_path_factory.mktemp("browser")
    (folder / "dags").mkdir()
    shutil.copy(EXAMPLES / EXAMPLE, folder / "dags")
    airflow = prepared_airflow.copy(
        folder / "home",
        **ALL_ARE_ADMINS,
        AIRFLOW__CORE__DAGS_FOLDER=str(folder / "dags"),
        AIRFLOW__CORE__TEST_CONNECTION="Enabled",
        AIRFLOW_VAR_LIVEPERSON_EXPORT_ROOT=(folder / "export").as_uri(),
        NO_PROXY="127.0.0.1",
    )
    with running(airflow, triggers=False, paused=True) as parts:
        yield parts


@pytest.fixture(scope="session")
def api(airflow_ui: RunningAirflow) -> RestApi:
    """The same by its REST API, once it answers."""
    return RestApi(airflow_ui)


@pytest.fixture
def page(chromium: Any, api: RestApi) -> Iterator[Any]:
    """An empty page of a browser that always looks the same."""
    context = chromium.new_context(
        base_url=api.url,
        viewport={"width": 1280, "height": 960},
        locale="en-US",
        timezone_id="UTC",
        color_scheme="light",
        reduced_motion="reduce",
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def picture(tmp_path: Path) -> Callable[[Any, str], None]:
    """Take a picture of a page, or of a part of it, under a name."""
    folder = Path(os.environ.get(PICTURES) or tmp_path).resolve()

    def take(subject: Any, name: str) -> None:
        subject.screenshot(path=folder / f"{name}.png", animations="disabled")

    return take
