"""A server of files on this machine, which can break off, give no parts, and state digests as a hub does."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

LINKS = "/links"


@dataclass
class Mirror:
    """What lies at which path, and how it is given: `breaks` are the bytes after which answers end."""

    url: str
    files: dict[str, bytes]
    gives_parts: bool = True
    states_digests: bool = True
    breaks: list[int] = field(default_factory=list)
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)


@contextmanager
def mirror(files: dict[str, bytes]) -> Generator[Mirror]:
    """A mirror that answers as long as the context lasts."""
    served = Mirror("", files)

    class Answer(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_HEAD(self) -> None:
            """As the Hugging Face hub: elsewhere lies the file, and this is its digest."""
            served.asked.append(("HEAD", self.path, None))
            if self.path not in served.files:
                self.send_error(404)
                return
            content = served.files[self.path]
            self.send_response(200 if self.path.startswith(LINKS) else 302)
            self.send_header("Location", f"{LINKS}{self.path}")
            if served.states_digests:
                self.send_header("X-Linked-Etag", f'"{sha256(content).hexdigest()}"')
                self.send_header("X-Linked-Size", str(len(content)))
            self.end_headers()

        def do_GET(self) -> None:
            wanted = self.headers["Range"]
            served.asked.append(("GET", self.path, wanted))
            content = served.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and served.gives_parts else 0
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            most = served.breaks.pop(0) if served.breaks else len(content)
            self.wfile.write(content[start : start + most])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    served.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
