"""The class server: the app on the local network for one address, behind a strict policy for browsers, compressed.

A class has no proxy in front of the app that would do this. The socket takes one address only, every request must name
that address, and a browser runs and loads nothing that does not come from here.
"""

import base64
import hashlib
import ipaddress
import re
import socket
import sys
from asyncio import Lock
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir
from uvicorn.config import LOGGING_CONFIG

from sim.parameters import SEEDS, InputError

APP = SEEDS.parent / "app.py"
LOOPBACK = "127.0.0.1"
# Of a network that exists in documents only (RFC 5737): the routing table is asked, and nothing is sent.
NOWHERE = ("192.0.2.1", 9)
# Smaller bodies gain nothing. The level that gzip itself takes: higher ones cost more than they save.
SMALLEST, LEVEL = 1_000, 6
# More files than Streamlit has; a visitor who makes up addresses fills nothing.
MOST_KEPT = 600


def local_address() -> str | None:
    """This machine's IPv4 address on the network it would send from, or None without one; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(NOWHERE)
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if ipaddress.ip_address(found).is_loopback else found


def checked_address(address: str, port: int) -> str:
    """An address that this machine has and a port that is free on it, or an InputError that says which is wrong."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        raise InputError(f"--address {address!r} is not an address such as 192.168.1.20") from None
    if parsed.is_unspecified or parsed.is_multicast:
        raise InputError(f"--address {address} is not one address; name the one that the class is to open")
    family = socket.AF_INET6 if parsed.version == 6 else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((str(parsed), port))
            probe.listen(1)
        except OSError as error:
            raise InputError(f"{web_address(str(parsed), port)} cannot be served: {error.strerror}") from None
    return str(parsed)


def web_address(address: str, port: int) -> str:
    """What is typed into a browser."""
    return f"http://{host(address, port)}"


def host(address: str, port: int) -> str:
    """What a browser sends as Host; IPv6 in brackets, and port 80 goes without saying."""
    name = f"[{address}]" if ":" in address else address
    return name if port == 80 else f"{name}:{port}"


def policy(host: str) -> str:
    """The content security policy: what a page of ours may run and load, each as little as the page works with.

    `blob:` is how Streamlit loads the script of a component that is written in Python, ours among them; inline styles are
    how its own style library and Plotly work. The one inline script of Streamlit's page is named by its hash. The
    websocket is named because older Safari does not count it as 'self'.
    """
    index = (Path(get_static_dir()) / "index.html").read_text(encoding="utf-8")
    hashes = (
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    )
    allowed = {
        "default-src": "'none'",
        "script-src": " ".join(["'self'", "blob:", *(f"'sha256-{digest}'" for digest in hashes)]),
        "style-src": "'self' 'unsafe-inline'",
        "connect-src": f"'self' ws://{host}",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in allowed.items())


class Guard:
    """Refuses requests under another host or from another site (403), and tells browsers what they may do with the answer."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        """Guard an app that is reached under one host."""
        self.app, self.host = app, host
        self.headers = {
            "Content-Security-Policy": policy(host),
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            # A link holds a whole scenario: no other site is told of it.
            "Referrer-Policy": "no-referrer",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or websocket."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] in {"http.response.start", "websocket.http.response.start"}:
                MutableHeaders(scope=message).update(self.headers)
            await send(message)

        headers = Headers(scope=scope)
        # Streamlit would ask a stranger for this machine's public address before it refuses a foreign origin.
        is_foreign = headers.get("origin", f"http://{self.host}").lower() != f"http://{self.host}"
        if is_foreign or headers.get("host", "").lower() != self.host:
            refusal = PlainTextResponse("This server answers under its own address only.", status_code=403)
            await refusal(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)


class KeptStatic:
    """Keeps the answers for Streamlit's unchanging files, so that a whole class costs one compression."""

    def __init__(self, app: ASGIApp) -> None:
        """Keep for an app that compresses."""
        self.app, self.lock = app, Lock()
        self.kept: dict[tuple[str, bool], list[Message]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is kept, or ask once and keep."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        is_plain = scope["type"] == "http" and scope["method"] == "GET" and scope["path"].startswith("/static/")
        if not is_plain or "range" in headers or "if-none-match" in headers or "if-modified-since" in headers:
            await self.app(scope, receive, send)
            return
        key = scope["path"], "gzip" in headers.get("accept-encoding", "")
        answer = self.kept.get(key)
        if answer is None:
            # One at a time: forty browsers come at once and ask for the same files.
            async with self.lock:
                answer = self.kept.get(key) or await self._ask(scope, receive)
                if len(self.kept) < MOST_KEPT and _is_unchanging(answer[0]):
                    self.kept[key] = answer
        for message in answer:
            await send(dict(message))

    async def _ask(self, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        return messages


def _is_unchanging(start: Message) -> bool:
    """Whether an answer begins as one that never changes: Streamlit marks files whose name holds a hash of what is in them."""
    return bool(start["status"] == 200) and "immutable" in Headers(raw=start["headers"]).get("cache-control", "")


def serve(address: str, port: int, tell: Callable[[], None]) -> None:
    """Serve the app for a class until it is stopped; `tell` is called as soon as it can be opened.

    What matters here is set here, whatever a configuration file of this machine says.
    """
    name = host(address, port)

    @asynccontextmanager
    async def started(_app: Any) -> AsyncIterator[None]:
        tell()
        yield

    middleware = [
        Middleware(Guard, host=name),
        Middleware(KeptStatic),
        Middleware(GZipMiddleware, minimum_size=SMALLEST, compresslevel=LEVEL),
    ]
    app = st.App(APP, middleware=middleware, lifespan=started)
    # Streamlit looks beside the program that was started for .streamlit/ and for modules: that is app.py.
    sys.argv = [str(APP)]
    # What the board shows is the address, not a server's diary.
    LOGGING_CONFIG["loggers"]["uvicorn.error"]["level"] = "WARNING"
    app.run(
        config={
            "server.address": address,
            "server.port": port,
            "server.allowedHosts": [address],
            "server.enableCORS": True,
            "server.enableXsrfProtection": True,
            "server.fileWatcherType": "none",
            "server.headless": True,
            "server.maxUploadSize": 2,
            "browser.serverAddress": address,
            "browser.gatherUsageStats": False,
            "client.showErrorDetails": "none",
            "client.showErrorLinks": False,
            "client.toolbarMode": "minimal",
            "global.developmentMode": False,
            "logger.hideWelcomeMessage": True,
        }
    )
