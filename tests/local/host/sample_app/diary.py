"""What the sample app did, one JSON line per event, where a test can read it."""

import json
import os
import time
from pathlib import Path


def write(event: str, **fields: object) -> None:
    line = json.dumps({"event": event, "at": time.time(), **fields})
    with Path(os.environ["SAMPLE_DIARY"]).open("a") as diary:
        diary.write(line + "\n")
