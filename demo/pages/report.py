"""The slow report: watches the daemon for two seconds, then draws what it saw."""

import time

import chart
from page import Answer, text

WATCH_SECONDS = 2.0
LOOKS = 40


def watch(port, sleep=time.sleep) -> list[chart.Sample]:
    """How many requests of the gallery run and wait, looked up again and again."""
    samples = []
    for _ in range(LOOKS):
        services, = port.json("services")
        gallery = next((row for row in services if row["name"] == "gallery"), None)
        samples.append(chart.Sample(gallery["running"], gallery["waiting"]) if gallery
                       else chart.Sample(0, 0))
        sleep(WATCH_SECONDS / LOOKS)
    return samples


def answer(port, method: str, path: str, sleep=time.sleep) -> Answer:
    if method not in ("GET", "HEAD"):
        return text(405, "this is only to be looked at", Allow="GET, HEAD")
    if path != "/report/minute.svg":
        return text(404, "there is minute.svg")
    try:
        samples = watch(port, sleep)
        status, = port.json("status")
    except (OSError, ValueError) as error:
        return text(503, f"the daemon did not answer: {error}")
    picture = chart.draw(status["buckets"], round(status["bucket_seconds"]), samples, WATCH_SECONDS)
    return Answer(200, "image/svg+xml", picture.encode(),
                  {"Cache-Control": "no-store", "X-Watched-Seconds": str(WATCH_SECONDS)})
