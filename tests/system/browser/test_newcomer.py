"""
A newcomer's way through Airflow's pages: a connection by the form, and a night by it.

The pictures of ``docs/images`` are taken on the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_lp.get_provider_info import CONNECTION_FIELDS, OLDER, OPTIONAL, REQUIRED, UI_FIELD_BEHAVIOUR
from airflow_provider_lp.sandbox import Sandbox
from tests.system.browser.connection_form import ConnectionForm
from tests.system.rest_api import RestApi
from tests.system.services import RunningAirflow

IMAGES = Path(__file__).parents[3] / "docs" / "images"
CONN_ID = "liveperson_default"
DAG_ID = "liveperson_nightly_tables"
QUERY = "conversations_per_skill"
Taker = Callable[[Any, str], None]


def exported(parts: RunningAirflow, conn_id: str) -> Mapping[str, Any]:
    """What Airflow has stored of a connection, its secrets in the clear."""
    file = parts.airflow.home / "connections.json"
    done = parts.airflow.run("connections", "export", str(file))
    assert done.returncode == 0, done.stdout
    connection: dict[str, Any] = json.loads(file.read_text())[conn_id]
    # Fields that are left empty Airflow stores as null.
    extra = {name: value for name, value in json.loads(connection["extra"]).items() if value is not None}
    return {**connection, "extra": extra}


@pytest.fixture(scope="session")
def required(account: Sandbox) -> dict[str, str]:
    """What the form asks for, and nothing else."""
    credentials = {name: account.credentials[name] for name in ("client_id", "client_secret")}
    return {"account_id": account.account.account_id, **credentials}


@pytest.fixture
def form(page: Any) -> ConnectionForm:
    return ConnectionForm(page)


def test_the_form_says_first_what_is_required(form: ConnectionForm, picture: Taker) -> None:
    form.open_new(CONN_ID)
    headings = [text for text in form.dialog.get_by_role("button").all_inner_texts() if text]
    assert headings == ["Standard Fields", REQUIRED, OPTIONAL, OLDER, "Extra Fields JSON", "Save"]
    for name, label in UI_FIELD_BEHAVIOUR["relabeling"].items():
        assert form.dialog.get_by_text(label, exact=True).is_visible(), name
    for section in (OPTIONAL, OLDER, REQUIRED):
        form.unfold(section)
        for field in CONNECTION_FIELDS.values():
            if field["schema"]["section"] == section:
                form.dialog.get_by_text(field["label"], exact=True).wait_for()
                form.dialog.get_by_text(field["description"], exact=True).first.wait_for()
    form.field("client_secret").fill("would be seen")
    assert form.field("client_secret").get_attribute("type") == "password"
    form.field("client_secret").fill("")
    picture(form.dialog, "connection-form")


def test_a_connection_is_saved_and_edited_and_keeps_its_secrets(
    form: ConnectionForm, airflow_ui: RunningAirflow, account: Sandbox, required: dict[str, str]
) -> None:
    form.open_new(CONN_ID)
    form.field("host").fill(account.url)
    form.unfold(REQUIRED)
    for name, value in required.items():
        form.field(name).fill(value)
    form.save()
    saved = exported(airflow_ui, CONN_ID)
    assert saved["conn_type"] == "liveperson"
    assert saved["host"] == account.url
    assert saved["extra"] == required

    form.open(CONN_ID)
    form.field("description").fill("Customer service, all brands")
    form.save()
    form.open(CONN_ID)
    form.unfold(OPTIONAL)
    form.field("source").fill("Nightly")
    form.save()
    extra = {**required, "source": "Nightly"}
    assert exported(airflow_ui, CONN_ID) == {**saved, "description": "Customer service, all brands", "extra": extra}


def test_the_night_is_exported_by_it(page: Any, api: RestApi, airflow_ui: RunningAirflow, picture: Taker) -> None:
    api.post("/pools", name="liveperson", slots=2)
    api.patch(f"/dags/{DAG_ID}", is_paused=False)
    query = f"select run_id, state from dag_run where dag_id = '{DAG_ID}' and state in ('success', 'failed')"
    airflow_ui.wait_for(lambda: airflow_ui.rows(query))
    ((run_id, state),) = airflow_ui.rows(query)
    assert state == "success", airflow_ui.states(DAG_ID)
    page.set_viewport_size({"width": 1280, "height": 650})
    page.goto(f"/dags/{DAG_ID}/runs/{run_id}/tasks/{QUERY}")
    page.get_by_text("Conversations per skill").wait_for()
    picture(page, "nightly-tables")


def test_each_picture_of_the_pages_is_taken_here() -> None:
    taken = {"connection-form", "nightly-tables"}
    assert {image.stem for image in IMAGES.glob("*")} == taken
