"""Links from a task in Airflow's UI: to what it has published, where the storage has a console."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonpath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow_provider_lp import compat
from airflow_provider_lp.compat import BaseOperatorLink
from airflow_provider_lp.operators.lineage import place_of

if TYPE_CHECKING:
    from airflow_provider_lp.compat import ObjectStoragePath

KEY = "_link_PublishedObjectLink"
#: Consoles of S3, by how the hosts of its partitions end.
S3_CONSOLES = {
    ".amazonaws.com": "https://console.aws.amazon.com",
    ".amazonaws.com.cn": "https://console.amazonaws.cn",
}
S3_GOV_CONSOLE = "https://console.amazonaws-us-gov.com"
GCS_CONSOLE = "https://console.cloud.google.com/storage/browser"
GCS_HOST = ".googleapis.com"


class PublishedObjectLink(BaseOperatorLink):
    """Leads to the object that a task has published, or to the folder of several, in the console of its storage."""

    name = "Published object"

    @property
    def xcom_key(self) -> str:
        """Where Airflow keeps the link."""
        return KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """
        The link; empty where there is none.

        Airflow 3 asks when the task has ended, in its process; Airflow 2 whenever somebody looks, in its webserver.
        """
        if hasattr(BaseOperatorLink, "xcom_key"):
            return str(getattr(operator, "console_url", ""))
        return compat.XCom.get_value(key=KEY, ti_key=ti_key) or ""


def keep(url: str, context: Any) -> None:
    """Keep a link for Airflow 2, which does not ask the task for it."""
    if url and not hasattr(BaseOperatorLink, "xcom_key") and "ti" in context:
        context["ti"].xcom_push(key=KEY, value=url)


def console_url(paths: Sequence[ObjectStoragePath]) -> str:
    """
    Where a console shows the object, or the folder that several objects have in common; empty if none does.

    The consoles of Azure ask for a subscription and a resource group, which no connection knows.

    :param paths: of one storage.
    """
    if not paths:
        return ""
    fs = paths[0].fs
    places = [place_of(fs, path.path) for path in paths]
    if len({(each.scheme, each.bucket) for each in places}) > 1:
        return ""
    scheme, bucket, key = places[0].scheme, places[0].bucket, places[0].key
    is_folder = len(places) > 1
    if is_folder and (key := commonpath([each.key for each in places])):
        key += "/"
    match scheme:
        case "s3":
            return _s3_url(fs, bucket, key, "buckets" if is_folder else "object")
        case "gs" | "gcs" if (urlsplit(str(getattr(fs, "base", ""))).hostname or "").endswith(GCS_HOST):
            return f"{GCS_CONSOLE}/{'' if is_folder else '_details/'}{bucket}/{quote(key)}"
    return ""


def _s3_url(fs: Any, bucket: str, key: str, kind: str) -> str:
    client = fs.s3.meta
    host, region = urlsplit(client.endpoint_url).hostname or "", client.region_name or ""
    # Any other is no service of Amazon's, and has another console, if any.
    console = next((console for suffix, console in S3_CONSOLES.items() if host.endswith(suffix)), "")
    if region.startswith("us-gov-"):
        console = console and S3_GOV_CONSOLE
    return console and f"{console}/s3/{kind}/{bucket}?region={region}&prefix={quote(key)}"
