"""A tiny checkout with the same commands as the real one, so that a start takes little."""

from __future__ import annotations

import textwrap
from pathlib import Path

FILES = {
    "manage.py": """
        import json, os, sys
        from pathlib import Path

        with (Path(os.environ["QUARTERDECK_HOME"]) / "commands").open("a") as log:
            print(" ".join(sys.argv[1:]), file=log)
        if "FAIL" in os.environ:
            sys.exit("no such table")
        if sys.argv[1] == "first_run":
            print("some library says hello")
            print(os.environ.get("SAY", "migrated"))
            user = {"username": "anna", "password": "secret-of-anna", "role": "approver"}
            print(json.dumps({"users": [user]}))
    """,
    "portal/__init__.py": """
        import os
        from celery import Celery

        number = os.environ["REDIS_URL"].rpartition("=")[2]
        socket = os.environ["REDIS_URL"].removeprefix("unix://").partition("?")[0]
        app = Celery("portal", broker=f"redis+socket://{socket}?virtual_host={number}")
        app.conf.beat_schedule = {}
    """,
    "portal/wsgi.py": """
        import json, os

        def application(environ, start_response):
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(dict(os.environ)).encode()]
    """,
    "sandbox/__init__.py": "",
    "sandbox/__main__.py": """
        import json, os, sys
        from http.server import BaseHTTPRequestHandler, HTTPServer

        class Gateway(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps(dict(os.environ)).encode())

            def log_message(self, *_):
                pass

        port = int(sys.argv[sys.argv.index("--port") + 1])
        HTTPServer(("127.0.0.1", port), Gateway).serve_forever()
    """,
    "requirements/up.txt": "",
    "shop/migrations/0001_initial.py": "",
}


def make_checkout(directory: Path) -> Path:
    """Write the checkout and return its path."""
    for name, text in FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return directory
