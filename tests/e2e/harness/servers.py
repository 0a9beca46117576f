"""Servers that know nothing of Baton, as they come from Debian, each configured in a folder of its own.

All of them would listen on one and the same port, whatever runs beside them: none of them ever does.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PORT = 18999
PLAIN_SERVER = Path(__file__).parent.parent / "workers/plain_server.py"


@dataclass
class Server:
    """`command` is what follows the options of `config worker`; `who` answers `pid address:port`."""

    name: str
    command: str
    who: str = "/who"
    keeps_alive: bool = True
    processes: int = 1


def needs(program: str) -> str:
    """The path of a program that `tools/bootstrap test` installs."""
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        pytest.skip(f"{program} is not installed: tools/bootstrap test")
    return path


def nginx(folder: Path, processes: int = 2) -> Server:
    configuration = folder / "nginx.conf"
    configuration.write_text(f"""
        daemon off;
        # The folder of a test, with batond's socket in it, is its user's alone.
        {"user root;" if os.geteuid() == 0 else ""}
        worker_processes {processes};
        error_log stderr warn;
        pid {folder}/nginx.pid;
        events {{ worker_connections 128; }}
        http {{
            access_log off;
            sendfile on;
            tcp_nopush on;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{
                listen {PORT};
                listen [::]:{PORT};
                root {folder};
                location = /who {{ return 200 "$pid $remote_addr:$remote_port"; }}
                location = /slow {{ limit_rate 20k; }}
                location = /generation {{ return 200 "one"; }}
            }}
        }}
    """)
    (folder / "slow").write_bytes(b"x" * 60_000)
    (folder / "nginx").mkdir(exist_ok=True)
    (folder / "nginx/page").write_bytes(b"y" * 200_000)
    return Server("nginx", f"{needs('nginx')} -p {folder} -c {configuration}", processes=processes)


def node(folder: Path) -> Server:
    program = folder / "server.js"
    program.write_text(f"""
        require('http').createServer((request, response) => {{
            const socket = request.socket;
            const address = socket.remoteAddress.replace('::ffff:', '');
            const who = process.pid + ' ' + address + ':' + socket.remotePort;
            let size = 0;
            request.on('data', piece => size += piece.length);
            request.on('end', () => {{
                if (request.url === '/size') return response.end(String(size));
                if (request.url === '/fields') return response.end(JSON.stringify(request.headers));
                response.end(who);
            }});
        }}).listen({PORT});
    """)
    return Server("node", f"{needs('node')} {program}")


def node_cluster(folder: Path) -> Server:
    """Its first process accepts, and passes each connection to one of two others."""
    program = folder / "cluster.js"
    program.write_text(f"""
        const cluster = require('cluster');
        if (cluster.isPrimary) {{
            cluster.schedulingPolicy = cluster.SCHED_RR;
            for (let i = 0; i < 2; i++) cluster.fork();
        }} else {{
            require('http').createServer((request, response) => {{
                const socket = request.socket;
                const address = socket.remoteAddress.replace('::ffff:', '');
                response.end(process.pid + ' ' + address + ':' + socket.remotePort);
            }}).listen({PORT});
        }}
    """)
    return Server("node-cluster", f"{needs('node')} {program}")


def gunicorn(folder: Path) -> Server:
    (folder / "application.py").write_text("""
import os

def application(environment, start_response):
    body = environment['wsgi.input'].read()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if environment['PATH_INFO'] == '/size':
        return [str(len(body)).encode()]
    return [f"{os.getpid()} {environment['REMOTE_ADDR']}:{environment['REMOTE_PORT']}".encode()]
""")
    return Server("gunicorn", f"{needs('gunicorn')} --chdir {folder} -w 2 -b 127.0.0.1:{PORT} "
                  "application:application", keeps_alive=False, processes=2)


def python(_folder: Path, *options: str) -> Server:
    """The server of Python's library: blocking sockets, a thread for each connection."""
    return Server("python", " ".join([sys.executable, str(PLAIN_SERVER), str(PORT), *options]))


def nats(_folder: Path) -> Server:
    """The monitor of a server written in Go: net/http, without the C library."""
    return Server("nats", f"{needs('nats-server')} -a 127.0.0.1 -p -1 -m {PORT}", who="/healthz")
