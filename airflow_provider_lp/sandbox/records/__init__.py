"""A conversation as JSON: ``record.py`` fills LivePerson's documented samples (``samples.json``)."""
