"""Operators that export from LivePerson."""
