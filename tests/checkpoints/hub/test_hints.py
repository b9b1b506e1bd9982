"""Hints in the errors of the Hub, followed on a small Hub of our own."""

import shutil
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants

import tf_led
from tests.checkpoints.hub.conftest import COMMIT, TOKEN, point_at
from tests.contract.hints import Hint, follow
from tf_led.checkpoints.hub.resolve import find_file, get_file, resolve
from tf_led.testing import tiny_config


def log_in():
    """Does what `hf auth login` does."""
    huggingface_hub.login(TOKEN)


@pytest.fixture(scope="module")
def model():
    layers = {"encoder_layers": 1, "decoder_layers": 1}
    return tf_led.TFLEDForConditionalGeneration(tiny_config(**layers))


@pytest.fixture
def shared(hub, model, torch_dir, tmp_path, monkeypatch):
    """A Hub with a model, and nobody who has logged in."""
    for name in ("HF_TOKEN_PATH", "HF_STORED_TOKENS_PATH"):
        monkeypatch.setattr(constants, name, str(tmp_path / name))
    monkeypatch.setattr(huggingface_hub.hf_api.api, "endpoint", constants.ENDPOINT)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.delenv("TRANSFORMERS_CACHE", raising=False)
    for name in ("model.safetensors", "config.json"):
        shutil.copy(torch_dir / name, hub.commits[COMMIT])
    return SimpleNamespace(
        hub=hub, model=model, here=torch_dir, folder=tmp_path, patch=monkeypatch
    )


def load(shared, name, **options):
    return tf_led.TFLEDForConditionalGeneration.from_pretrained(name, **options)


def reach(shared, port, **options):
    point_at(port, shared.patch)
    resolve("me/led", **options)


def offline(shared, is_offline, **options):
    shared.patch.setattr(constants, "HF_HUB_OFFLINE", is_offline)
    return resolve("me/led", **options)


def push(shared, **options):
    shared.model.push_to_hub("me/led", **options)
    assert {"config.json", "model.safetensors", "README.md"} <= {*shared.hub.pushed}


HINTS = {
    "a private model, by a token": Hint(
        "for a private one pass `token`",
        lambda s: load(s, "me/private"),
        lambda s: load(s, "me/private", token=TOKEN),
    ),
    "a private model, after logging in": Hint(
        "or run `hf auth login`",
        lambda s: resolve("me/private"),
        lambda s: [log_in(), resolve("me/private"), resolve("me/private", token=True)],
    ),
    "a gated model, by a token": Hint(
        "then pass `token`",
        lambda s: resolve("me/gated"),
        lambda s: resolve("me/gated", token=TOKEN),
    ),
    "a gated model, after logging in": Hint(
        "or run `hf auth login`",
        lambda s: find_file("me/gated", "config.json"),
        lambda s: [log_in(), find_file("me/gated", "config.json")],
    ),
    "a download without the Hub": Hint(
        "`local_files_only=True` or HF_HUB_OFFLINE rules out; drop one of them",
        lambda s: resolve("me/led", force_download=True, local_files_only=True),
        lambda s: [
            resolve("me/led", force_download=True),
            resolve("me/led", local_files_only=True),
        ],
    ),
    "what the cache lacks": Hint(
        "`local_files_only=True` or HF_HUB_OFFLINE keeps from asking the Hub",
        lambda s: resolve("me/led", local_files_only=True),
        lambda s: resolve("me/led"),
    ),
    "what the cache lacks, by the environment": Hint(
        "HF_HUB_OFFLINE keeps from asking the Hub",
        lambda s: offline(s, True),
        lambda s: [offline(s, False), offline(s, True)],
    ),
    "no such file": Hint(
        "has no vocab.json; .*Give a directory that save_pretrained wrote",
        lambda s: get_file(s.here, "vocab.json"),
        lambda s: [
            s.model.save_pretrained(s.folder),
            get_file(s.folder, "config.json"),
        ],
    ),
    "a file in the place of a folder": Hint(
        "is a file; give the folder that it is in",
        lambda s: resolve(s.here / "model.safetensors"),
        lambda s: [resolve(s.here), load(s, s.here)],
    ),
    "a name that is none": Hint(
        "neither a folder here nor a Hub id such as `(.*)`",
        lambda s: resolve("not/an/id"),
        lambda s: huggingface_hub.utils.validate_repo_id(s.found[1]),
    ),
    "a push without a token": Hint(
        "without a token: pass `token`, or run `hf auth login`",
        lambda s: push(s, token=True),
        lambda s: push(s, token=TOKEN),
    ),
    "a push after logging in": Hint(
        r"Check the id, and that `token` \(or `hf auth login`\) may write there",
        push,
        lambda s: [log_in(), push(s)],
    ),
    "a push with another's token": Hint(
        "Check the id, and that `token`",
        lambda s: push(s, token="hf_another"),
        lambda s: push(s, token=TOKEN),
    ),
    "a push while saving": Hint(
        r"call `model.push_to_hub\(repo_id\)`",
        lambda s: s.model.save_pretrained(s.folder, push_to_hub=True),
        lambda s: push(s, token=TOKEN),
    ),
    "a token under its old name": Hint(
        "give the same value as `token`",
        lambda s: push(s, use_auth_token=TOKEN),
        lambda s: push(s, token=TOKEN),
    ),
}


@pytest.mark.parametrize("name", HINTS)
def test_what_the_message_says_works(name, shared):
    follow(HINTS[name], shared)


def test_the_old_name_of_the_cache(shared, monkeypatch):
    monkeypatch.setenv("TRANSFORMERS_CACHE", str(shared.folder / "cache"))
    with pytest.warns(UserWarning, match="set HF_HUB_CACHE, or give `cache_dir`"):
        resolve("me/led")
    monkeypatch.delenv("TRANSFORMERS_CACHE")
    folder = shared.folder / "other"
    assert folder in resolve("me/led", cache_dir=folder).weights.parents
