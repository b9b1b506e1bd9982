"""Environment variables, tried in processes of their own, one for several."""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
from functools import cache

from tests.settings.rows import Harmless, Obeyed

# Asks the Hub for a model, and says what came of it.
ASK = """
import json, sys, warnings
warnings.simplefilter("always")
from tf_led.checkpoints.hub.resolve import resolve
from huggingface_hub import constants
try:
    found = str(resolve("me/led"))
except Exception as error:
    found = f"{type(error).__name__}: {error}"
print(json.dumps({"found": found, "cache": constants.HF_HUB_CACHE}))
"""
IMPORT = "import tf_led; tf_led.LEDConfig; tf_led.TFLEDModel; print('{}')"
UNSET = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HOME", "HF_TOKEN", "HF_ENDPOINT")


def run(code, **variables):
    """What a process prints last as JSON, and what it says on stderr."""
    env = {name: value for name, value in os.environ.items() if name not in UNSET}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**env, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else {}, done.stderr


@cache
def online():
    """A Hub that has nothing, and what was requested of it: (answer, home, headers)."""
    requested = []

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self):
            requested.append(dict(self.headers))
            self.send_error(404)

        do_GET = do_HEAD

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = tempfile.mkdtemp()
    found, errors = run(
        ASK,
        HF_HOME=home,
        HF_TOKEN="hf_secret",
        HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
        TRANSFORMERS_CACHE="/nowhere",
    )
    server.shutdown()
    server.server_close()
    return found, home, requested, errors


def is_home(name):
    found, home, _, _ = online()
    return found["cache"].startswith(home)


def is_the_token(name):
    _, _, requested, _ = online()
    headers = [{k.lower(): v for k, v in one.items()} for one in requested]
    return any(one.get("authorization") == "Bearer hf_secret" for one in headers)


def is_requested(name):
    _, _, requested, _ = online()
    return len(requested) > 0


def warns(name):
    _, _, _, errors = online()
    return name in errors


def keeps_offline(name):
    found, _ = run(ASK, **{name: "1", "HF_HOME": tempfile.mkdtemp()})
    return "HF_HUB_OFFLINE" in found["found"]


def is_rejected(name):
    _, errors = run(IMPORT, **{name: "jax"})
    return name in errors.splitlines()[-1]


ROWS = {
    "HF_HOME": Obeyed(is_home),
    "HF_TOKEN": Obeyed(is_the_token),
    "HF_ENDPOINT": Obeyed(is_requested),
    "HF_HUB_OFFLINE": Obeyed(keeps_offline),
    "TRANSFORMERS_OFFLINE": Obeyed(keeps_offline),
    "TRANSFORMERS_CACHE": Obeyed(warns),
    "KERAS_BACKEND": Obeyed(is_rejected),
    # TensorFlow, tokenizers and transformers read these by themselves.
    **dict.fromkeys(
        (
            "CUDA_VISIBLE_DEVICES",
            "TF_CPP_MIN_LOG_LEVEL",
            "TF_ENABLE_ONEDNN_OPTS",
            "TF_USE_LEGACY_KERAS",
            "TF_XLA_FLAGS",
            "TOKENIZERS_PARALLELISM",
            "TRANSFORMERS_VERBOSITY",
            "USE_TF",
            "USE_TORCH",
            "XLA_FLAGS",
        ),
        Harmless(),
    ),
}
