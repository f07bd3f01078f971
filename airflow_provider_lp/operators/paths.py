"""The argument ``path``: which object it names, in which storage, over which connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo
from functools import partial
from pathlib import PurePath
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.compression import compression_of
from airflow_provider_lp.hooks.connection_ids import check_conn_id
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.path_fields import names_window, with_window
from airflow_provider_lp.windows import Window

#: Schemes whose URLs name a bucket or container, and the extra that installs their library.
STORAGE_EXTRAS = {
    "s3": "s3", "s3a": "s3", "s3n": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "adl": "azure",
}  # fmt: skip
#: A user and a password before an @, where the password may hold slashes; but no host and port.
CREDENTIALS = r"[^:/]*://(?P<credentials>[^:/@]*:(?!\d+/)[^@]*)@"
#: Schemes that others use for the same containers.
UNKNOWN_AZURE_SCHEMES = ("az", "wasb", "wasbs")
#: What Jinja fills in.
TEMPLATES = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
#: Templates that say when a run is.
RUN_DATES = re.compile(
    r"\{\{[^}]*\b(ds|ts|logical_date|execution_date|data_interval_(start|end)|partition_(date|key))(_nodash\w*)?\b"
)
#: How a path begins that names the same storage and bucket whatever its templates give, shown as "…".
FIXED_PLACE = r"[^…:/]*(?:://[^…/]*)?/"
#: Stands for the window of a run that is not known yet.
ANY_WINDOW = Window(0, 86_400_000)


class ObjectUrl(msgspec.Struct, frozen=True):
    """
    An object in some storage.

    :param text: its URL as given, a connection id in it included.
    :param url: its URL without a connection id.
    :param conn_id: the connection of its storage; ``None`` for the worker's own credentials.
    """

    text: str
    url: str
    conn_id: str | None


def as_text(path: Any) -> Any:
    """A path object of Python's or Airflow's as text, so that its templates are rendered; anything else as it is."""
    if path is None or isinstance(path, str):
        return path
    if isinstance(path, PurePath):
        return str(path)
    # Its text has the connection id: s3://conn@bucket/key.
    return str(path) if isinstance(path, compat.ObjectStoragePath) else path


def object_url(
    path: object,
    storage_conn_id: str | None,
    window: Window | None,
    check_suffix: Callable[[str], object] = compression_of,
    zone: tzinfo = UTC,
) -> ObjectUrl:
    """
    The object that the argument ``path`` names.

    :param path: URL, absolute path, ``pathlib.Path`` or ``ObjectStoragePath``.
    :param storage_conn_id: the argument of that name.
    :param window: whose start and end the path may name; ``None`` if there is none.
    :param check_suffix: refuses what the path must not end in; default another compression than those of exports.
    :param zone: the time zone that the path names the window in; default UTC.
    :raises LivePersonConfigurationError: naming the remedy, if it names no object or contradicts ``storage_conn_id``.
    """
    text = as_text(path)
    if not isinstance(text, str) or text.strip() in ("", "None"):
        hint = " (None comes from a template whose value this run does not have.)" if isinstance(text, str) else ""
        raise LivePersonConfigurationError(
            f"path={path!r} must be a URL such as s3://bucket/folder/file.ndjson.gz, an absolute path, a pathlib.Path "
            f"or an ObjectStoragePath.{hint}"
        )
    _check_credentials(text)
    _check_spelling(text)
    written, text = text, with_window(text, window, zone)
    with shown_as(text, written):
        # As its author has written it first: what an error says is a part of it then, too.
        for each in dict.fromkeys((written, text)):
            _check_parts(each, check_suffix)
    userinfo, has_connection, _ = urlsplit(text).netloc.rpartition("@")
    if userinfo and storage_conn_id is not None and storage_conn_id != userinfo:
        raise LivePersonConfigurationError(
            f"path={written!r} names the connection {userinfo!r}, but storage_conn_id={storage_conn_id!r}: leave one "
            "of them out."
        )
    return ObjectUrl(text, text.replace(f"{userinfo}@", "", 1) if has_connection else text, userinfo or storage_conn_id)


@contextmanager
def shown_as(filled_in: str, written: str) -> Iterator[None]:
    """
    Let errors show what an author has written.

    :param filled_in: what it became.
    :param written: what was written.
    """
    try:
        yield
    except LivePersonConfigurationError as error:
        if filled_in not in str(error):
            raise
        raise type(error)(str(error).replace(filled_in, written)) from error


def _check_parts(text: str, check_suffix: Callable[[str], object]) -> None:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise LivePersonConfigurationError(f"path={text!r} is not a URL: {error}.") from error
    _check_azure(text, parts)
    _check_object(text, parts, parts.netloc.rpartition("@")[2])
    check_suffix(text)


def check_target(
    given: Literals, window: Window | None, check_suffix: Callable[[str], object] = compression_of, name: str = "path"
) -> None:
    """
    Check ``path`` and ``storage_conn_id``, as far as they are known.

    :param window: any, if the task has one.
    :param check_suffix: as :func:`object_url` takes it.
    :param name: of the path's argument.
    :raises LivePersonConfigurationError: naming the one that is wrong.
    """
    given.check("storage_conn_id", partial(check_conn_id, "storage_conn_id"))
    path = as_text(given.unrendered(name))
    if path is not None and (isinstance(path, str) or given.knows(name)):
        with said_of(name):
            check_unrendered(path, given.get("storage_conn_id"), window, check_suffix)


@contextmanager
def said_of(argument: str, conn_id: str = "storage_conn_id") -> Iterator[None]:
    """
    Let what is said of ``path`` be said of another argument that names an object.

    :param argument: its name.
    :param conn_id: the argument that names the connection of its storage.
    """
    try:
        yield
    except LivePersonConfigurationError as error:
        said = re.sub(r"\bpath=", f"{argument}=", str(error)).replace("storage_conn_id", conn_id)
        raise type(error)(said) from error


def check_unrendered(
    path: object,
    storage_conn_id: str | None,
    window: Window | None,
    check_suffix: Callable[[str], object] = compression_of,
) -> None:
    """
    Refuse what is wrong with a path whatever its templates give: its end, its storage, fields in braces.

    :param path: as :func:`object_url` takes it, templates and all.
    :param storage_conn_id: the argument of that name; ``None`` if it is not known.
    :param window: any, if the task has one.
    :param check_suffix: as :func:`object_url` takes it.
    :raises LivePersonConfigurationError: as :func:`object_url` does; what a template gives is shown as "…".
    """
    text = as_text(path)
    if not isinstance(text, str) or not TEMPLATES.search(text):
        object_url(text, storage_conn_id, window, check_suffix)
        return
    shown = TEMPLATES.sub("…", text)
    if end := shown.rpartition("…")[2]:
        check_suffix(f"…{end}")
    if re.match(FIXED_PLACE, shown) and not re.search(r"\{[{%#]", shown):
        object_url(shown, storage_conn_id, window, str)


def _check_credentials(text: str) -> None:
    """First of all, as every other message shows the path."""
    if found := re.match(CREDENTIALS, text):
        hidden = text.replace(found["credentials"], "***", 1)
        raise LivePersonConfigurationError(
            f"path={hidden!r} holds credentials before the @, where Airflow takes a connection id. Put them into an "
            "Airflow connection and give its id as storage_conn_id."
        )


def _check_spelling(text: str) -> None:
    """Refuse what would become part of a name, and was not meant to."""
    if text != text.strip() or not text.isprintable():
        raise LivePersonConfigurationError(
            f"path={text!r} has a space or a line break at an end, or a character that cannot be printed: take it out."
        )
    if found := TEMPLATES.search(text):
        raise LivePersonConfigurationError(
            f"path={text!r} holds the template {found[0]} unrendered. Airflow renders templates of the DAG's file, and "
            "not what comes from params or other tasks."
        )


def _check_azure(text: str, parts: SplitResult) -> None:
    """Containers have no dots, so a host with one is an account: Airflow has no place for it in the URL."""
    container, _, host = parts.netloc.rpartition("@")
    if parts.scheme in UNKNOWN_AZURE_SCHEMES:
        name = container or ("container" if "." in host else host)
        raise LivePersonConfigurationError(
            f"path={text!r}: Airflow does not know {parts.scheme}:// URLs. Write abfs://{name}{parts.path} and give "
            "storage_conn_id, an Airflow connection of type wasb or adls to the storage account."
        )
    if STORAGE_EXTRAS.get(parts.scheme) != "azure" or "." not in host:
        return
    rest = f"{container}{parts.path}" if container else parts.path.lstrip("/") or "container/folder/file.ndjson.gz"
    raise LivePersonConfigurationError(
        f"path={text!r} names the storage account {host!r}, which Airflow takes from a connection, whose id is what "
        f"stands before an @. Write {parts.scheme}://{rest} and give storage_conn_id, an Airflow connection of type "
        f"wasb or adls to {host.partition('.')[0]!r}."
    )


def _check_object(text: str, parts: SplitResult, host: str) -> None:
    if text.endswith("/"):
        example = text if parts.path.strip("/") else "s3://bucket/folder/"
        raise LivePersonConfigurationError(
            f"path={text!r} ends in a slash: exporting a folder of parts is not supported yet. Name one object, such "
            f"as {example}conversations.ndjson.gz."
        )
    if parts.scheme and not parts.path:
        raise LivePersonConfigurationError(
            f"path={text!r} names no object in it: give it whole, such as {text}/folder/conversations.ndjson.gz."
        )
    if parts.scheme in STORAGE_EXTRAS and not host:
        raise LivePersonConfigurationError(
            f"path={text!r} names no bucket or container: write it as text with two slashes, such as "
            f"{parts.scheme}://bucket/folder/conversations.ndjson.gz."
        )
    if (parts.scheme == "file" and host) or (not parts.scheme and not text.startswith("/")):
        raise LivePersonConfigurationError(
            f"path={text!r} is relative: workers may have any working directory. Write it as file:///folder/file.ndjson."
        )


def names_run(path: object) -> bool:
    """Whether a path, templates and all, is another one for runs of other days."""
    return isinstance(path, str) and RUN_DATES.search(path) is not None


def check_names_window(path: str) -> None:
    """
    Refuse a path that is the same for all windows.

    :raises LivePersonConfigurationError: naming it.
    """
    if not names_window(path):
        raise LivePersonConfigurationError(
            f"path={path!r} is the same for all windows. Name them in it, such as "
            "s3://bucket/date={start:%Y-%m-%d}/{start:%H%M}.ndjson.gz."
        )
