"""The argument ``exports``: which summaries and manifests it names, and what a manifest holds."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.operators.templates import NO_VALUE, from_template, shown

#: How text begins that should have been a list or a dict.
NO_URL = ("[", "{", "(")
#: How the paths of exports end, and those of manifests never do.
EXPORT_SUFFIXES = (".gz", ".zst", ".ndjson", ".jsonl")
WANTED = (
    "Give what the export has returned (exports=export.output), or the URL of the manifest that an earlier "
    "LivePersonReconcileOperator wrote to its path."
)


def flattened(exports: Any) -> Iterator[Any]:
    """
    The summaries, manifests and URLs in ``exports``, however deep they lie.

    Tasks that were skipped, of several whose output is given, have none.

    :raises LivePersonConfigurationError: for the text that a template makes of no value, or of what is no list, and for
        the path of an export.
    """
    value = from_template(exports)
    if isinstance(value, Mapping) or (isinstance(value, str) and "/" in value and not value.startswith(NO_URL)):
        if isinstance(value, str) and value.lower().endswith(EXPORT_SUFFIXES):
            raise _no_manifest(value, "it is the path of an export")
        yield value
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value:
            if each is not None:
                yield from flattened(each)
    else:
        hint = f" {NO_VALUE}" if value in (None, "", "None") else ""
        raise LivePersonConfigurationError(
            f"exports={shown(value)} must be the output of an export (exports=export.output), a manifest or the URL of "
            f"one, or a list of these.{hint}"
        )


def decoded(url: str, content: bytes) -> Any:
    """
    A manifest that was read.

    :param url: where from.
    :raises LivePersonConfigurationError: if it is none.
    """
    try:
        manifest = json.loads(content)
    except ValueError:
        # What the decoder says of an export, say, tells nobody anything.
        raise _no_manifest(url, "it holds no JSON, or several lines of it as exports do") from None
    if isinstance(manifest, Mapping) and "info" in manifest:
        raise _no_manifest(url, "it holds a conversation")
    return manifest


def _no_manifest(url: str, reason: str) -> LivePersonConfigurationError:
    return LivePersonConfigurationError(f"exports={url!r} is no manifest: {reason}. {WANTED}")
