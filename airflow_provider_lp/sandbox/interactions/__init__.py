"""LivePerson's Messaging Interactions: ``methods.py`` has the three methods, ``filters.py`` what they search by."""
