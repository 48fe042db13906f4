"""The class server: one address, a strict policy that the page still works under, and one compression for everybody."""

import asyncio
import gzip
import http.client
import io
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import segno
from playwright.sync_api import Browser, Page, Request, expect
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from typer.testing import CliRunner
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from benchmarks import load
from benchmarks.served import LOOPBACK, ROOT, app_served, free_port, served
from sim import classroom
from sim.__main__ import app as commands
from sim.pages import frame
from sim.parameters import InputError
from tests.conftest import needs_chromium, rest

Headers = dict[str, str]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    number = free_port()
    with served(["-m", "sim", "class", "--port", str(number), "--address", LOOPBACK], number):
        yield number


def ask(port: int, path: str, headers: Headers | None = None, method: str = "GET", body: bytes | None = None):  # type: ignore[no-untyped-def]
    """One request without following anything: the answer and what came over the wire."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def handshake(port: int, headers: Headers) -> int:
    """The status with which a websocket is answered; 101 opens it."""
    key = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw=="}
    with socket.create_connection((LOOPBACK, port), timeout=30) as line:
        asked = {"Host": f"{LOOPBACK}:{port}", "Connection": "Upgrade", "Upgrade": "websocket", **key, **headers}
        words = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        line.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{words}\r\n".encode())
        return int(line.recv(64).split()[1])


def bundle(port: int) -> str:
    """The largest script of the first page."""
    _, page = ask(port, "/")
    return "/" + re.search(r"static/js/index\.[\w-]+\.js", page.decode()).group()  # type: ignore[union-attr]


@pytest.mark.parametrize("path", ["/", "/_stcore/health", "/nowhere"])
def test_only_its_own_address_is_answered(port: int, path: str) -> None:
    assert ask(port, path)[0].status == 200
    for name in (f"evil.example:{port}", f"localhost:{port}", LOOPBACK, f"{LOOPBACK}.evil.example:{port}", ""):
        answer, body = ask(port, path, {"Host": name})
        assert answer.status in {400, 403}, name
        assert b"<html" not in body
    assert ask(port, path, {"Origin": "http://evil.example"})[0].status == 403
    assert ask(port, path, {"Origin": f"http://{LOOPBACK}:{port}"})[0].status == 200


def test_a_websocket_opens_from_its_own_page_only(port: int) -> None:
    own = f"http://{LOOPBACK}:{port}"
    assert handshake(port, {"Origin": own}) == 101
    assert handshake(port, {"Origin": "http://evil.example"}) == 403
    assert handshake(port, {"Origin": "null"}) == 403
    assert handshake(port, {"Host": f"evil.example:{port}"}) == 403
    # A name that has been bound anew to this address: host and origin agree with each other, and with nothing here.
    assert handshake(port, {"Host": f"evil.example:{port}", "Origin": f"http://evil.example:{port}"}) == 403


@pytest.mark.parametrize("path", ["/", "/static/js/nothing.js", "/_stcore/health", "/app/anything"])
def test_every_answer_carries_the_policy(port: int, path: str) -> None:
    for headers in ({}, {"Host": "evil.example"}):
        told = ask(port, path, headers)[0].headers
        rules = dict(rule.split(" ", 1) for rule in told["Content-Security-Policy"].split("; "))
        assert rules["default-src"] == rules["frame-ancestors"] == "'none'"
        assert "unsafe-inline" not in rules["script-src"] and "unsafe-eval" not in rules["script-src"]
        assert not re.search(r"https?:|\*", told["Content-Security-Policy"])
        assert told["X-Frame-Options"] == "DENY"
        assert told["X-Content-Type-Options"] == "nosniff"
        assert told["Referrer-Policy"] == "no-referrer"


def test_scripts_are_compressed_and_those_who_cannot_read_that_get_them_plain(port: int) -> None:
    path = bundle(port)
    plain, long = ask(port, path)
    short, packed = ask(port, path, {"Accept-Encoding": "gzip"})
    assert plain.headers["Content-Encoding"] is None
    assert short.headers["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in short.headers["Vary"]
    assert len(packed) < len(long) / 2.5
    assert gzip.decompress(packed) == long
    part, piece = ask(port, path, {"Accept-Encoding": "gzip", "Range": "bytes=10-19"})
    assert (part.status, piece) == (206, long[10:20])
    assert ask(port, path, {"If-None-Match": plain.headers["ETag"]})[0].status == 304


# --- What is kept, in a small world


def answers(path: str, kept: classroom.KeptStatic, n: int) -> list[bytes]:
    """What n visitors get who ask for one path at the same moment."""

    async def visit() -> bytes:
        body = b""

        async def receive():  # type: ignore[no-untyped-def]
            return {"type": "http.request"}

        async def send(message) -> None:  # type: ignore[no-untyped-def]
            nonlocal body
            body += message.get("body", b"")

        scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"accept-encoding", b"gzip")]}
        await kept(scope, receive, send)
        return body

    async def all_at_once() -> list[bytes]:
        return list(await asyncio.gather(*(visit() for _ in range(n))))

    # In a thread of its own: Playwright keeps an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, all_at_once()).result()


@pytest.mark.parametrize(
    ("path", "cache", "status", "n_asked"),
    [
        ("/static/js/a.js", "public, immutable", 200, 1),
        ("/static/js/a.js", "no-cache", 200, 40),
        ("/static/js/a.js", "public, immutable", 404, 40),
        ("/media/secret", "public, immutable", 200, 40),
    ],
)
def test_forty_visitors_cost_one_answer_of_what_never_changes(path: str, cache: str, status: int, n_asked: int) -> None:
    asked = []

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        asked.append(HTTPConnection(scope).url.path)
        await asyncio.sleep(0)
        await PlainTextResponse(f"body of {path}", status, {"Cache-Control": cache})(scope, receive, send)

    kept = classroom.KeptStatic(app)
    assert answers(path, kept, 40) == [f"body of {path}".encode()] * 40
    assert len(asked) == n_asked


def test_made_up_addresses_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "MOST_KEPT", 3)

    async def app(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        await PlainTextResponse(scope["path"], 200, {"Cache-Control": "immutable"})(scope, receive, send)

    kept = classroom.KeptStatic(app)
    for k in range(10):
        assert answers(f"/static/{k}", kept, 1) == [f"/static/{k}".encode()]
    assert len(kept.kept) == 3


# --- Uploads


def test_an_upload_beyond_the_limit_is_refused(port: int) -> None:
    with connect(f"ws://{LOOPBACK}:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")]) as line:
        line.send(load.rerun())
        message = ForwardMsg()
        while message.WhichOneof("type") != "new_session":
            message = ForwardMsg.FromString(line.recv(timeout=60))
        session = message.new_session.initialize.session_id
        cookie = ask(port, "/_stcore/health")[0].headers["Set-Cookie"]
        token = re.search(r"_streamlit_xsrf=([^;]+)", cookie).group(1)  # type: ignore[union-attr]

        def upload(n_bytes: int, token_sent: str = token) -> int:
            part = b'Content-Disposition: form-data; name="f"; filename="s.toml"\r\n\r\n'
            body = b"--x\r\n" + part + b"#" * n_bytes + b"\r\n--x--\r\n"
            headers = {"Content-Type": "multipart/form-data; boundary=x", "Cookie": f"_streamlit_xsrf={token}"}
            path = f"/_stcore/upload_file/{session}/00000000-0000-0000-0000-000000000000"
            return int(ask(port, path, {**headers, "X-Xsrftoken": token_sent}, "PUT", body)[0].status)

        assert upload(1_000) == 204
        assert upload(3_000_000) == 413
        assert upload(1_000, "another") == 403


# --- Addresses


def test_the_address_is_found_without_sending_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []

    class Probe(socket.socket):
        def send(self, *_: object) -> int:  # type: ignore[override]
            sent.append("send")
            return 0

        def sendto(self, *_: object) -> int:  # type: ignore[override]
            sent.append("sendto")
            return 0

        def connect(self, to: tuple[str, int]) -> None:  # type: ignore[override]
            assert self.type == socket.SOCK_DGRAM, "only a datagram socket connects without sending"
            super().connect(to)

    monkeypatch.setattr(socket, "socket", Probe)
    found = classroom.local_address()
    assert found is None or classroom.checked_address(found, free_port()) == found
    assert sent == []


def test_no_network_is_told_and_this_computer_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object) -> None:
        raise OSError(101, "Network is unreachable")

    with monkeypatch.context() as patched:
        patched.setattr(socket.socket, "connect", unreachable)
        assert classroom.local_address() is None
    monkeypatch.setattr(classroom, "local_address", lambda: None)
    monkeypatch.setattr(classroom, "serve", lambda _address, _port, tell: tell())
    shown = CliRunner().invoke(commands, ["class", "--port", str(free_port())])
    assert shown.exit_code == 0
    assert "No network was found" in shown.output and "http://127.0.0.1:" in shown.output


def test_the_board_shows_the_address_and_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "serve", lambda _address, _port, tell: tell())
    number = free_port()
    shown = CliRunner().invoke(commands, ["class", "--port", str(number), "--address", LOOPBACK])
    code = io.StringIO()
    segno.make(f"http://{LOOPBACK}:{number}").terminal(code, compact=True)
    assert [line.rstrip() for line in code.getvalue().splitlines()] == [
        line.rstrip() for line in shown.output.splitlines()[1:18]
    ]
    assert f"Open http://{LOOPBACK}:{number}\n" in shown.output


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("my-laptop", "'my-laptop' is not an address"),
        ("0.0.0.0", "not one address"),
        ("::", "not one address"),
        ("198.51.100.7", "cannot be served"),
        ("127.0.0.1; rm", "is not an address"),
    ],
)
def test_a_wrong_address_is_told_without_a_traceback(address: str, told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "serve", lambda _address, _port, tell: tell())
    answer = CliRunner().invoke(commands, ["class", "--address", address, "--port", str(free_port())])
    assert answer.exit_code == 2
    assert told in answer.output
    assert "Traceback" not in answer.output


def test_a_taken_port_is_told() -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen(1)
        with pytest.raises(InputError, match="cannot be served: Address already in use"):
            classroom.checked_address(LOOPBACK, other.getsockname()[1])


def test_addresses_of_both_kinds_are_written_as_browsers_write_them() -> None:
    assert classroom.web_address("192.168.1.20", 8501) == "http://192.168.1.20:8501"
    assert classroom.web_address("fe80::1", 8501) == "http://[fe80::1]:8501"
    assert classroom.host("192.168.1.20", 80) == "192.168.1.20"


def test_ctrl_c_ends_it_while_somebody_looks_on() -> None:
    number = free_port()
    words = [sys.executable, "-m", "sim", "class", "--port", str(number), "--address", LOOPBACK]
    server = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert server.stdout is not None
        said = ""
        while "Ctrl-C ends it" not in said:
            line = server.stdout.readline()
            assert line, said
            said += line

        with connect(f"ws://{LOOPBACK}:{number}/_stcore/stream", subprotocols=[Subprotocol("streamlit")]):
            server.send_signal(signal.SIGINT)
            said = server.communicate(timeout=20)[0]
        assert "Traceback" not in said
    finally:
        server.kill()


# --- In Chromium


def visit(browser: Browser, address: str) -> tuple[Page, list[str], list[str]]:
    """A page as a first visitor gets it, with what it asked for and what its policy refused."""
    page = browser.new_context().new_page()
    asked: list[str] = []
    refused: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.expose_function("tellRefused", lambda line: refused.append(line))  # Playwright cannot mark a built-in method
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => tellRefused(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}`))"
    )
    page.goto(address)
    rest(page)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
    return page, asked, refused


@needs_chromium
def test_every_page_works_under_the_policy_and_asks_nobody_else(browser: Browser, port: int) -> None:
    address = f"http://{LOOPBACK}:{port}"
    page, asked, refused = visit(browser, address)
    # A component's own script runs, and so does a chart's way into a picture.
    expect(page.locator("g.state")).to_have_count(54)
    day = page.locator("[data-part=day]")
    day.press("Home")
    expect(page.locator("[data-part=when]")).to_have_text(re.compile("^Day 0,"))
    chart = page.locator(".js-plotly-plot").first
    chart.hover()
    with page.expect_download() as saved:
        chart.locator("[data-title*='Download plot']").click()
    assert saved.value.path().read_bytes().startswith(b"\x89PNG")
    for name, *_ in frame.PAGES[1:]:
        page.goto(f"{address}/{name}")
        rest(page)
        assert page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0, name
    # A library tries whether it may compile WebAssembly, and does without.
    assert [line for line in refused if "wasm-eval" not in line] == []
    own = (f"{address}/", f"ws://{LOOPBACK}:{port}/", "data:", f"blob:{address}/")
    assert [url for url in asked if not url.startswith(own)] == []
    # The policy is in force: what a page may not do fails.
    attempt = "fetch('http://evil.example/').catch(() => {})"
    refusal = "addEventListener('securitypolicyviolation', event => done(event.effectiveDirective))"
    assert page.evaluate(f"new Promise(done => {{ {refusal}; {attempt} }})") == "connect-src"
    planted = "const s = document.createElement('script'); s.textContent = 'window.ran = true'; document.body.append(s)"
    assert page.evaluate(f"(() => {{ {planted}; return window.ran === undefined }})()")
    page.context.close()


@needs_chromium
def test_a_first_visit_costs_less_than_half_of_the_plain_server(browser: Browser, port: int) -> None:
    def carried(address: str) -> int:
        sizes: list[int] = []

        def count(request: Request) -> None:
            sizes.append(request.sizes()["responseBodySize"])

        page = browser.new_context().new_page()
        page.on("requestfinished", count)
        page.goto(address)
        page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
        rest(page)
        page.context.close()
        return sum(sizes)

    with app_served() as (address, _):
        plain = carried(address)
    short = carried(f"http://{LOOPBACK}:{port}")
    assert plain > 5_000_000
    assert short < plain / 2
