"""What an error means for what was to be published: said in its message, once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

#: How errors end whose place cannot know more.
NOTHING = "Nothing was published."


def say_outcome(error: Exception, outcome: str) -> None:
    """
    Let an error's message say what was published and what was not.

    :param error: says nothing of it yet, or only :data:`NOTHING`; one that knows better is left as it is.
    :param outcome: a sentence.
    """
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    if NOTHING in said:
        said = said.replace(NOTHING, outcome)
    elif "published" not in said.lower():
        said = f"{said.rstrip(' .')}. {outcome}"
    if isinstance(error, OSError) and error.errno is not None:
        error.strerror = said
        error.args = (error.errno, said, *error.args[2:])
    else:
        error.args = (said,)


@contextmanager
def after(outcome: str) -> Iterator[None]:
    """
    Let an error of a store say what had been published before it.

    :param outcome: a sentence; empty if nothing had.
    """
    try:
        yield
    except OSError as error:
        if outcome:
            say_outcome(error, outcome)
        raise
