"""LivePerson from an Airflow connection: open ``liveperson.py``; ``connection_fields.py`` checks what is filled in."""
