"""The demo of `make run`: its pictures, its live table, what happens when a worker is killed, its end."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as xml

import pytest

from harness import processes
from harness.demo import ROOT, Demo, png_size
from harness.waiting import LIMIT_SECONDS, wait_until

sys.path.insert(0, str(ROOT / "demo/pages"))
import chart  # noqa: E402  (after the path)
import page  # noqa: E402

HEAVY = "/gallery/mandelbrot.png?x=-0.7436439&y=0.1318259&zoom=6000&iterations=1500&size=320&draw="


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    yield demo
    demo.close()


class Download(threading.Thread):
    """One picture, on a connection of its own."""

    def __init__(self, demo: Demo, target: str):
        super().__init__(daemon=True)
        self.demo, self.target, self.answer = demo, target, None
        self.start()

    def run(self):
        try:
            self.answer = self.demo.get(self.target)
        except (OSError, EOFError):
            pass  # finish() says so; who ends the demo in the middle expects it

    def finish(self):
        self.join(LIMIT_SECONDS * 2)
        assert self.answer is not None, f"no answer to {self.target}"
        return self.answer


def small(target: str) -> str:
    """The same picture with few pixels."""
    return re.sub("size=480", "size=48", target).replace("width=1280&height=720", "width=64&height=48")


def test_every_picture_of_the_page_is_drawn_by_a_worker_that_was_started_for_it(demo):
    demo.start()
    assert demo.gallery_workers() == []
    targets = [target for target in demo.pictures() if target.startswith("/gallery/")]
    assert len(targets) == 20
    answers = [download.finish() for download in [Download(demo, small(each)) for each in targets]]
    for target, answer in zip(targets, answers):
        assert answer.status == 200, (target, answer.text)
        assert answer.fields["content-type"] == "image/png"
        assert answer.fields["cache-control"] == "no-store"
        assert png_size(answer.body) == ((16, 16) if "tile=" in target else (48, 48))
    drawers = {int(answer.fields["x-worker"]) for answer in answers}
    assert drawers and drawers <= {worker["pid"] for worker in demo.gallery_workers()}
    assert len(demo.gallery_workers()) <= 4


def test_a_killed_worker_costs_no_picture(demo):
    """OZ3: what it was drawing is drawn by another, and the page can say so."""
    demo.start()
    downloads = [Download(demo, HEAVY + str(number)) for number in range(12)]
    victim = demo.wait_for_busy_worker()["pid"]
    processes.kill_9(victim)
    answers = [download.finish() for download in downloads]
    assert [answer.status for answer in answers] == [200] * 12
    assert all(png_size(answer.body) == (320, 320) for answer in answers)
    assert any('attempt;desc="1"' in answer.fields["server-timing"] for answer in answers)
    gallery = next(row for row in demo.json("services") if row["name"] == "gallery")
    assert gallery["redelivered"] >= 1


def test_the_page_may_kill_a_worker_of_the_gallery_and_nobody_else_may(demo):
    demo.start()
    download = Download(demo, HEAVY + "1")
    victim = demo.wait_for_busy_worker()
    target = f"/kill?worker={victim['id']}"
    with demo.connect() as connection:
        assert connection.get(target).status == 405
        assert connection.request("POST", target).status == 403
        ours = {"X_Demo": "kill"}
        pages = next(row for row in demo.json("workers") if row["service"] == "pages" and row["pid"])
        assert connection.request("POST", f"/kill?worker={pages['id']}", **ours).status == 404
        assert connection.request("POST", "/kill?worker=x", **ours).status == 400
        assert processes.state(victim["pid"]) not in ("", "Z")
        answer = connection.request("POST", target, **ours)
    assert answer.status == 200 and str(victim["pid"]) in answer.text
    wait_until(lambda: processes.state(victim["pid"]) in ("", "Z"), "the worker is dead")
    assert download.finish().status == 200


def test_the_live_table_is_what_the_daemon_says(demo):
    demo.start()
    live = demo.get("/live")
    assert live.fields["cache-control"] == "no-store"
    table = json.loads(live.body)
    assert {row["name"] for row in table["services"]} >= {"gallery", "pages", "report"}
    assert table["command"] == demo.line("see who did what")
    gallery = next(row for row in table["services"] if row["name"] == "gallery")
    # Whatever the page's script reads is there.
    for member in ("running", "waiting", "transactions", "restarts", "response_p50_ms"):
        assert member in gallery
    assert {"min", "max", "idle_timeout_ms", "pri"} <= gallery["options"].keys()
    for row in table["workers"]:
        assert {"id", "service", "queue", "state", "pid", "transactions", "last_response_ms"} <= row.keys()


def test_the_report_is_drawn_by_another_service_with_other_rules(demo):
    demo.start()
    answer = demo.get("/report/minute.svg")
    assert answer.status == 200 and answer.fields["content-type"] == "image/svg+xml"
    assert xml.fromstring(answer.body).tag == "{http://www.w3.org/2000/svg}svg"
    assert demo.get("/report/other.svg").status == 404
    options = {row["name"]: row["options"] for row in demo.json("services")}
    assert (options["report"]["max"], options["gallery"]["max"]) == (1, 4)
    assert options["report"]["pri"] < options["gallery"]["pri"] < options["pages"]["pri"]


def test_what_is_no_picture_is_refused_by_the_worker_with_what_would_be_one(demo):
    demo.start()
    refused = demo.get("/gallery/julia.png?size=100000")
    assert refused.status == 400 and "16 to 2048" in refused.text
    assert demo.get("/gallery/nothing.png").status == 404
    with demo.connect() as connection:
        assert connection.request("POST", "/gallery/julia.png").status == 405


def test_the_printed_lines_can_be_typed(demo):
    demo.start()
    demo.get(small("/gallery/julia.png?size=480"))
    listing = subprocess.run(demo.line("see who did what"), shell=True, cwd=ROOT, check=True,
                             capture_output=True, text=True, timeout=LIMIT_SECONDS).stdout
    worker, = demo.gallery_workers()
    assert str(worker["pid"]) in listing
    subprocess.run(demo.line("kill a worker"), shell=True, cwd=ROOT, check=True,
                   executable="/bin/bash", timeout=LIMIT_SECONDS)
    wait_until(lambda: processes.state(worker["pid"]) in ("", "Z"), "the worker is dead")
    metrics = subprocess.run(["curl", "-sS", demo.line("for Prometheus")], check=True,
                             capture_output=True, text=True, timeout=LIMIT_SECONDS).stdout
    assert 'baton_requests_total{service="gallery",outcome="answered"} 1\n' in metrics


@pytest.mark.parametrize("how", ["terminal", "kill"])
def test_ctrl_c_ends_everything_even_while_pictures_are_drawn(demo, how):
    demo.start()
    downloads = [Download(demo, HEAVY + str(number)) for number in range(4)]
    demo.wait_for_busy_worker()
    if how == "terminal":
        demo.interrupt()
    else:
        demo.process.send_signal(signal.SIGTERM)
    assert demo.finish() == 0, demo.output
    assert "left over" not in demo.output
    assert demo.left_over() == []
    assert not demo.socket.exists() or not answers(demo.socket)
    for download in downloads:
        download.join(LIMIT_SECONDS)


def answers(path) -> bool:
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(str(path)) == 0


def test_the_demo_ends_with_its_starter_whatever_kills_it(demo):
    demo.start()
    demo.get(small("/gallery/julia.png?size=480"))
    processes.kill_9(demo.process.pid)
    demo.finish()
    wait_until(lambda: demo.left_over() == [], "batond, agent and workers have ended")


def test_a_port_in_use_is_said_in_plain_words(demo):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo.launch(port)
        assert demo.finish() == 1
    assert f"127.0.0.1:{port} is in use" in demo.output
    assert f"make run PORT={port + 1}" in demo.output
    assert "Traceback" not in demo.output


def test_a_second_demo_at_the_same_socket_is_told_so(demo, tmp_path):
    demo.start()
    second = Demo(tmp_path)
    second.launch()
    assert second.finish() == 1
    assert f"another Baton answers at {demo.socket}" in second.output
    assert demo.get("/").status == 200


def test_chromium_shows_every_picture_and_the_live_table(demo, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    demo.start()
    host, port = demo.address
    # The document is printed once it has loaded, so with all its pictures.
    shown = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         f"--user-data-dir={tmp_path}/chromium", "--dump-dom", f"http://{host}:{port}/"],
        capture_output=True, text=True, timeout=LIMIT_SECONDS * 4, check=True, env=os.environ).stdout
    images = re.findall(r"<img [^>]*>", shown)
    assert len(images) == 21
    assert [image for image in images if 'class="drawn"' not in image] == []
    # Who drew them is known from Server-Timing; the table has its rows.
    assert len(re.findall(r"worker \d+ in [\d.]+ m?s", shown)) >= 4
    assert "kill -9 worker" in shown and 'data-state="live"' in shown


# ---- The page's parts, alone

class FakePort:
    """Answers as the daemon would."""

    def __init__(self, **answers):
        self.answers = answers

    def json(self, *commands):
        return [self.answers[command] for command in commands]


def test_the_page_says_so_when_the_daemon_does_not_answer():
    class Gone:
        def json(self, *_):
            raise ConnectionRefusedError("nobody there")

    site = page.Site(ROOT / "demo/www", Gone(), "baton -c workers")
    assert site.answer("GET", "/live", "", {}).status == 503
    assert site.answer("POST", "/kill", "worker=1", {"x-demo": "kill"}).status == 503
    assert site.answer("GET", "/", "", {}).status == 200


def test_a_path_reaches_no_file_but_the_pages_own():
    site = page.Site(ROOT / "demo/www", FakePort(), "")
    for path in ("/../run", "/run", "/index.html", "/style.css/", "//", "/%2e%2e/run"):
        assert site.answer("GET", path, "", {}).status == 404


def test_the_button_cannot_reach_a_process_that_is_no_worker_of_the_gallery():
    workers = [{"service": "pages", "id": 1, "pid": os.getpid()},
               {"service": "gallery", "id": 2, "pid": None}]
    site = page.Site(ROOT / "demo/www", FakePort(workers=workers), "")
    for wanted in ("1", "2", "3", str(os.getpid())):
        assert site.answer("POST", "/kill", f"worker={wanted}", {"x-demo": "kill"}).status == 404
    for query in ("", "worker=", "worker=-1", "worker=1;2", "pid=1", "worker=²"):
        assert site.answer("POST", "/kill", query, {"x-demo": "kill"}).status == 400


def test_the_chart_is_well_formed_whatever_it_shows():
    for counts, samples in ([[0] * 6, [chart.Sample(0, 0)] * 40],
                            [[3, 1, 4, 1, 5, 92653], [chart.Sample(4, 200), chart.Sample(0, 0)]],
                            [[], [chart.Sample(1, 1)]]):
        root = xml.fromstring(chart.draw(counts, 10, samples, 2.0))
        bars = root.findall(".//{*}rect")
        assert len(bars) == len(counts)
        assert all(float(bar.get("height")) <= chart.BOTTOM - chart.TOP for bar in bars)
