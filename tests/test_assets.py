"""LivePerson's data as assets."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from airflow_provider_lp.assets import convert_asset_to_openlineage, create_asset, sanitize_uri
from airflow_provider_lp.compat import Asset
from airflow_provider_lp.operators.lineage import CONVERSATIONS, of_liveperson

URI = "liveperson://12345678/messaging-interactions/conversations"


def test_an_asset_is_named_as_lineage_names_it() -> None:
    asset = create_asset(account_id="12345678", name=CONVERSATIONS, extra={"team": "care"})
    dataset = of_liveperson("12345678", CONVERSATIONS, None)
    assert (asset.uri, asset.extra) == (dataset.uri, {"team": "care"}) == (URI, {"team": "care"})
    pytest.importorskip("openlineage")
    converted = convert_asset_to_openlineage(asset, None)
    assert (converted.namespace, converted.name) == (dataset.namespace, dataset.name)


@pytest.mark.parametrize("uri", ["liveperson:///conversations", "liveperson://12345678", "liveperson://12345678/"])
def test_a_uri_of_nothing_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match=r"must be liveperson://<account id>/<name>, such as liveperson://12345678/"):
        sanitize_uri(urlsplit(uri))


@pytest.mark.filterwarnings("ignore")  # Airflow imports all providers here, with their libraries' warnings
def test_airflow_3_asks_for_all_of_it() -> None:
    manager = pytest.importorskip("airflow.sdk.providers_manager_runtime").ProvidersManagerTaskRuntime()
    assert manager.asset_uri_handlers["liveperson"] is sanitize_uri
    assert manager.asset_factories["liveperson"] is create_asset
    assert Asset(f"{URI}/").uri == URI
