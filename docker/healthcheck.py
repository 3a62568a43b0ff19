"""Whether a URL answers with 200: `python docker/healthcheck.py http://127.0.0.1:8000/readyz`. There is no curl."""

import sys
import urllib.request

try:
    with urllib.request.urlopen(sys.argv[1], timeout=4) as response:  # noqa: S310
        sys.exit(response.status != 200)
except OSError as error:
    sys.exit(str(error))
