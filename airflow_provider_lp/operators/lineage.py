"""What a task has read and written, for Airflow's hook lineage and, where its provider is installed, OpenLineage."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp import compat

if TYPE_CHECKING:
    from airflow_provider_lp.compat import OperatorLineage

#: What LivePerson's APIs give, as lineage names it.
CONVERSATIONS = "messaging-interactions/conversations"
OPERATIONS = "messaging-operations/"
#: How OpenLineage spells the schemes of storages.
SCHEMES = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
AZURE = ("abfs", "abfss", "adl", "az")


class Column(msgspec.Struct, frozen=True):
    """
    A column of a table.

    :param name: its name.
    :param type: what it holds, as Arrow names it.
    :param meaning: for people.
    """

    name: str
    type: str
    meaning: str


class Dataset(msgspec.Struct, frozen=True):
    """
    Data of LivePerson's, or an object in a storage.

    :param namespace: where it is, as OpenLineage has it.
    :param name: its name there.
    :param uri: both as an asset has them.
    :param context: what it was read or written by.
    :param rows: how many conversations or rows it holds, if that is known.
    :param bytes: its size, compressed.
    :param columns: of a table.
    """

    namespace: str
    name: str
    uri: str
    context: Any
    rows: int | None = None
    bytes: int | None = None
    columns: tuple[Column, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """
    Where an object is.

    :param scheme: of its URL.
    :param bucket: or container; empty for a file.
    :param key: its name there.
    """

    scheme: str
    bucket: str
    key: str


def place_of(fs: Any, path: str) -> Place:
    """Where an object is; its URL never has a connection id. A key may hold anything, so that it is no URL to parse."""
    scheme, _, rest = fs.unstrip_protocol(path).partition("://")
    bucket, _, key = rest.partition("/")
    return Place(scheme, bucket, key)


def of_liveperson(account_id: str, name: str, context: Any) -> Dataset:
    """
    What an API of LivePerson's gives.

    :param account_id: the account.
    :param name: such as :data:`CONVERSATIONS`.
    :param context: what it was read by.
    """
    namespace = f"liveperson://{account_id}"
    return Dataset(namespace, name, f"{namespace}/{name}", context)


def of_storage(fs: Any, path: str, context: Any, **described: Any) -> Dataset:
    """
    An object in a storage.

    :param fs: its fsspec file system.
    :param path: where in it.
    :param context: what it was read or written by.
    :param described: what else is known of it.
    """
    place = place_of(fs, path)
    uri = f"{place.scheme}://{place.bucket}/{place.key}"
    if place.scheme == "file":
        return Dataset("file", f"/{place.key}", uri, context, **described)
    scheme, bucket = SCHEMES.get(place.scheme, place.scheme), place.bucket
    if scheme in AZURE:
        account = getattr(fs, "account_name", None)
        scheme, bucket = "abfss", f"{bucket}@{account}.dfs.core.windows.net" if account else bucket
    return Dataset(f"{scheme}://{bucket}", place.key, uri, context, **described)


def report_to_hooks(inputs: Iterable[Dataset] = (), outputs: Iterable[Dataset] = ()) -> None:
    """Tell Airflow's collector of lineage, if anything reads what it collects."""
    collector: Any = compat.get_hook_lineage_collector()
    # Called datasets before Airflow 3.
    add_input = getattr(collector, "add_input_asset", None) or collector.add_input_dataset
    add_output = getattr(collector, "add_output_asset", None) or collector.add_output_dataset
    for dataset in inputs:
        add_input(context=dataset.context, uri=dataset.uri)
    for dataset in outputs:
        add_output(context=dataset.context, uri=dataset.uri)


def as_openlineage(inputs: Iterable[Dataset], outputs: Iterable[Dataset]) -> OperatorLineage[Any, Any]:
    """The same as OpenLineage's provider takes it; only that provider asks."""
    from openlineage.client.event_v2 import InputDataset, OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset, schema_dataset

    def facets(dataset: Dataset) -> dict[str, Any]:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(name=column.name, type=column.type, description=column.meaning)
            for column in dataset.columns
        ]
        return {"schema": schema_dataset.SchemaDatasetFacet(fields=fields)} if fields else {}

    def statistics(dataset: Dataset) -> dict[str, Any]:
        facet = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(
            rowCount=dataset.rows, size=dataset.bytes, fileCount=1
        )
        return {"outputStatistics": facet}

    return compat.OperatorLineage(
        inputs=[InputDataset(namespace=each.namespace, name=each.name, facets=facets(each)) for each in inputs],
        outputs=[
            OutputDataset(namespace=each.namespace, name=each.name, facets=facets(each), outputFacets=statistics(each))
            for each in outputs
        ],
    )
