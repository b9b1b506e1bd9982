"""Requests summaries from TensorFlow Serving over REST: rest_client.py FILE..."""

import argparse
import json
import urllib.error
import urllib.request
from pathlib import Path


def summarize(url, texts, timeout=600):
    """Sends texts in one request and returns their summaries, a list of str."""
    # `serving_default` has one input, so each row is a text and nothing else.
    body = json.dumps({"instances": texts}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}:predict", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{url}: {error.code}: {error.read().decode()}") from None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--url", default="http://localhost:8501/v1/models/led")
    args = parser.parse_args()
    texts = [file.read_text(encoding="utf-8") for file in args.files]
    for summary in summarize(args.url, texts):
        print(summary)


if __name__ == "__main__":
    main()
