"""The peers' virtual environments: made once, under build/benchmarks/."""

import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks import plan

HOME = Path("build/benchmarks")
TORCH = "torch==2.13.0"
# A CPU build is asked for by what pip is told to look in, e.g. PIP_EXTRA_INDEX_URL.
REQUIREMENTS = {
    # Of its own, as users have it: transformers loads PyTorch where it is installed.
    plan.OURS: ["--editable", "."],
    plan.PYTORCH: [TORCH, "transformers==5.23.*", "numpy"],
    plan.FLEX: [TORCH, "numpy"],
    plan.OLD_TF: [
        "tensorflow==2.21.*",
        "tf_keras==2.21.*",
        "transformers==4.57.6",
        "numpy",
    ],
}
WORKERS = {
    plan.OURS: "tf_led_worker.py",
    plan.PYTORCH: "pytorch_worker.py",
    plan.OLD_TF: "old_tf_worker.py",
    plan.FLEX: "flex_worker.py",
}


def python_of(peer, given=None):
    """The interpreter that runs a peer.

    Args:
        peer: a name of `plan.PEERS`.
        given: dict of peers to interpreters that already have what the peer needs.

    Returns:
        str, a path.
    """
    return (given or {}).get(peer) or make(peer)


def make(peer):
    """Makes the peer's environment where it is not yet, and returns its Python."""
    folder = HOME / peer.split(" (")[0].replace(" ", "-").lower()
    python, stamp = folder / "bin/python", folder / "installed"
    wanted = "\n".join(REQUIREMENTS[peer])
    if peer == plan.OURS:
        wanted += "\n" + Path("setup.cfg").read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing {', '.join(REQUIREMENTS[peer])}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "--quiet", *REQUIREMENTS[peer]]
        subprocess.run(install, check=True, stdout=sys.stderr)
        stamp.write_text(wanted)
    return os.fspath(python.absolute())
