from __future__ import annotations

import importlib
import json
from importlib.metadata import entry_points, version
from importlib.resources import files
from itertools import groupby

import pytest

from airflow_provider_lp.get_provider_info import CONNECTION_FIELDS, OLDER, OPTIONAL, REQUIRED, get_provider_info
from airflow_provider_lp.hooks.connection_fields import FIELDS_BY_AUTH_TYPE, SECRET_FIELDS

INFO = get_provider_info()


def test_airflow_finds_the_description_by_its_entry_point() -> None:
    (found,) = [each for each in entry_points(group="apache_airflow_provider") if "airflow_provider_lp" in each.value]
    assert found.load()() == INFO
    assert INFO["package-name"] == "airflow-provider-lp"
    assert INFO["versions"] == [version("airflow-provider-lp")]


def test_it_satisfies_airflows_own_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((files("airflow") / "provider_info.schema.json").read_text())
    jsonschema.validate(INFO, schema)


def test_every_module_and_class_it_names_exists() -> None:
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for entry in INFO.get(kind, []):
            assert entry["integration-name"] == "LivePerson"
            for module in entry["python-modules"]:
                importlib.import_module(module)
    (connection,) = INFO["connection-types"]
    module, _, name = connection["hook-class-name"].rpartition(".")
    hook = getattr(importlib.import_module(module), name)
    assert hook.conn_type == connection["connection-type"] == "liveperson"
    assert hook.hook_name == connection["hook-name"]


def test_the_form_shows_every_extra_and_hides_the_secret_ones() -> None:
    standard = {"login", "password"}
    needed = {name for sets in FIELDS_BY_AUTH_TYPE.values() for names in sets for name in names} - standard
    others = {"account_id", "auth_type", "scope", "trusted_domains", "source", "connect_timeout", "read_timeout"}
    assert needed | others == set(CONNECTION_FIELDS)
    hidden = {name for name, field in CONNECTION_FIELDS.items() if field["schema"].get("format") == "password"}
    assert hidden == set(SECRET_FIELDS) - standard
    for field in CONNECTION_FIELDS.values():
        assert field["label"]
        assert field["description"]


def test_no_field_of_the_form_is_obligatory_in_a_way_that_blocks_saving() -> None:
    for field in CONNECTION_FIELDS.values():
        assert "null" in field["schema"]["type"]


@pytest.mark.filterwarnings("ignore")  # Airflow imports every provider's hooks here, with their libraries' warnings
def test_airflow_itself_takes_the_provider_in() -> None:
    try:
        from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime as Manager
    except ImportError:
        from airflow.providers_manager import ProvidersManager as Manager
    hook = Manager().hooks["liveperson"]
    assert hook is not None
    assert hook.hook_name == "LivePerson"
    assert hook.hook_class_name == "airflow_provider_lp.hooks.liveperson.LivePersonHook"


def test_oauth2_comes_first_and_the_rest_is_for_older_accounts() -> None:
    names = list(CONNECTION_FIELDS)
    assert names[:3] == ["account_id", "client_id", "client_secret"]
    assert all(CONNECTION_FIELDS[name]["label"].endswith("(required)") for name in names[:3])
    sections = [field["schema"]["section"] for field in CONNECTION_FIELDS.values()]
    assert list(dict.fromkeys(sections)) == [section for section, _ in groupby(sections)] == [REQUIRED, OPTIONAL, OLDER]
    older = [name for name, field in CONNECTION_FIELDS.items() if "older accounts" in field["label"]]
    assert older == names[-4:] == ["app_key", "app_secret", "access_token", "access_token_secret"]
