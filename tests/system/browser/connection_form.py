"""Airflow's form for a connection, as a person uses it."""

from __future__ import annotations

from typing import Any


class ConnectionForm:
    """
    The form, opened over the list of connections.

    :param page: a page of a browser.
    """

    def __init__(self, page: Any) -> None:
        self.page = page
        self.dialog = page.get_by_role("dialog")

    def open_new(self, conn_id: str) -> None:
        """The form for a new connection of type LivePerson."""
        self.page.goto("/connections")
        self.page.get_by_role("button", name="Add Connection").click()
        self.dialog.locator("input[name=connection_id]").fill(conn_id)
        self.dialog.get_by_role("combobox").fill("LivePerson")
        self.page.get_by_role("option", name="LivePerson", exact=True).click()

    def open(self, conn_id: str) -> None:
        """The form for a connection that is there."""
        self.page.goto("/connections")
        row = self.page.get_by_role("row").filter(has_text=conn_id)
        row.get_by_role("button", name="Edit Connection").click()

    def unfold(self, section: str) -> None:
        """Show the fields of a section."""
        heading = self.dialog.get_by_role("button", name=section, exact=True)
        if heading.get_attribute("aria-expanded") == "false":
            heading.click()

    def field(self, name: str) -> Any:
        """A field by its name: a standard one, or an extra."""
        return self.dialog.locator(f"[name={name}], [name=element_{name}]").first

    def save(self) -> None:
        """Save, and wait until Airflow has."""
        with self.page.expect_response(lambda answer: answer.request.method in ("POST", "PATCH")) as answered:
            self.dialog.get_by_role("button", name="Save", exact=True).click()
        assert answered.value.ok, answered.value.text()
        self.dialog.wait_for(state="hidden")
