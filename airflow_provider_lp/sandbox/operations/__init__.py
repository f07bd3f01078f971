"""LivePerson's Messaging Operations: ``closed.py``, ``queues.py`` and ``segments.py`` have the methods."""
