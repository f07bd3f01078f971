"""
Personal data taken out of conversations before they are stored anywhere.

Start with ``rules.py``: what may be asked for. ``redactor.py`` applies it to a record, going by LivePerson's members
(``members.py``), their paths (``paths.py``) and what texts hold (``texts.py``, ``patterns.py``).
"""
