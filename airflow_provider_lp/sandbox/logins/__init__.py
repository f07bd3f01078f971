"""Who may call: ``logins.py`` answers the logins and admits requests."""
