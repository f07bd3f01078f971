"""HTTP itself: ``exchange.py`` has requests and answers, ``server.py`` the sockets, ``values.py`` reads bodies."""
