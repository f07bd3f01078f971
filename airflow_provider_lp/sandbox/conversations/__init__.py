"""The conversations that are served: ``conversation.py`` has one, ``generated.py`` invents those of a day."""
