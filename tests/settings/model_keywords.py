"""Keywords of a model's methods that load, save, upload, call, compile and batch."""

import inspect
import tempfile
from functools import cache
from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
import transformers
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import GenerationConfig

import tf_led
from tests.models.conftest import SMALL, make_model
from tests.models.pretrained.test_save_pretrained import Repository
from tests.old_library.names import arguments
from tests.settings import fit_keywords
from tests.settings.config_fields import INPUTS, LABELS, logits, plain
from tests.settings.rows import Harmless, Obeyed, Rejected
from tf_led.models.pretrained import save_pretrained as saving
from tf_led.models.training import datasets
from tf_led.testing import tiny_config

Generator = tf_led.TFLEDForConditionalGeneration
PyTorch = transformers.PreTrainedModel
IDS = INPUTS["input_ids"]


@cache
def saved():
    """A folder that holds the plain model."""
    folder = tempfile.mkdtemp()
    plain().save_pretrained(folder)
    return folder


# from_pretrained


def load(name_or_path=None, **options):
    return Generator.from_pretrained(name_or_path or saved(), **options)


def asks_the_hub(value, asked=None):
    """The Hub's client is given the value, under the name `asked`."""

    def shows(name):
        seen = {}

        def download(repo, file, **options):
            seen.update(options)
            raise LocalEntryNotFoundError("nothing is here")

        repo = "tf_led.checkpoints.hub.repo"
        with (
            mock.patch(f"{repo}.hf_hub_download", download),
            mock.patch(f"{repo}.is_offline_mode", lambda: False),
            mock.patch(f"{repo}.try_to_load_from_cache", lambda *_, **__: None),
        ):
            try:
                load("me/led", **{name: value})
            except OSError:
                return seen[asked or name] == value
        return False

    return Obeyed(shows)


def loads(value, function, **others):
    """`function` of what was loaded with the value is true."""
    return Obeyed(lambda name: function(load(**others, **{name: value})))


def loads_by_that_name(name):
    return len(Generator.from_pretrained(**{name: saved()}).weights) > 0


def reads_no_safetensors(name):
    try:
        load(**{name: False})
    except FileNotFoundError:
        return True
    return False


def load_rejected(value=None):
    return Rejected(lambda name: load(**{name: value}))


LOADING = {
    "pretrained_model_name_or_path": Obeyed(loads_by_that_name),
    "name_or_path": Obeyed(loads_by_that_name),
    "cache_dir": asks_the_hub("/nowhere"),
    "force_download": asks_the_hub(True),
    "local_files_only": asks_the_hub(True),
    "token": asks_the_hub("secret"),
    "use_auth_token": asks_the_hub("secret", "token"),
    "revision": asks_the_hub("v2"),
    "subfolder": asks_the_hub("part"),
    "config": loads(
        tiny_config(**SMALL, dropout=0.7, num_beams=5),
        lambda m: (m.config.dropout, m.generation_config.num_beams) == (0.7, 5),
    ),
    "dtype": loads("float16", lambda m: m.compute_dtype == "float16"),
    "torch_dtype": loads("auto", lambda m: m.compute_dtype == "float32"),
    "name": loads("mine", lambda m: m.name == "mine"),
    "max_global_tokens": loads(3, lambda m: m.led.encoder.max_global_tokens == 3),
    "attention_implementation": loads(
        "grouped:2MB",
        lambda m: m.led.encoder.attention_implementation == "grouped:2MB",
    ),
    "ignore_mismatched_sizes": loads(
        True, lambda m: m.config.vocab_size == 23, vocab_size=23
    ),
    "output_loading_info": loads(True, lambda found: "missing_keys" in found[1]),
    "use_safetensors": Obeyed(reads_no_safetensors),
    **dict.fromkeys(
        (
            "from_pt",
            "from_tf",
            "low_cpu_mem_usage",
            "resume_download",
            "trust_remote_code",
            "weights_only",
        ),
        Harmless(),
    ),
    **dict.fromkeys(
        (
            "adapter_kwargs",
            "attn_implementation",
            "device_map",
            "disable_mmap",
            "fusion_config",
            "load_weight_prefix",
            "mirror",
            "proxies",
            "quantization_config",
            "state_dict",
            "tf_to_pt_weight_rename",
            "variant",
        ),
        load_rejected({}),
    ),
}
# What users gave beyond the signatures.
LOADING_NAMES = {
    "attn_implementation",
    "device_map",
    "dtype",
    "from_tf",
    "low_cpu_mem_usage",
    "quantization_config",
    "state_dict",
    "subfolder",
    "torch_dtype",
    "variant",
}
OURS = {"name", "max_global_tokens", "attention_implementation"}


# save_pretrained, push_to_hub


def save(**options):
    folder = Path(options.pop("save_directory", None) or tempfile.mkdtemp())
    plain().save_pretrained(folder, **options)
    return sorted(path.name for path in folder.iterdir())


def writes_saved_model(name):
    """The SavedModel is written as the option says; here none is, as it takes long."""
    value = {"saved_model": True, "version": 3, "signatures": {"run": "a function"}}
    with mock.patch.object(saving, "stage_saved_model") as stage:
        save(**{"saved_model": True, "signatures": {}, name: value[name]})
    _, _, path, signatures = stage.call_args.args
    wanted = {
        "saved_model": "saved_model/1",
        "version": "saved_model/3",
        "signatures": value["signatures"],
    }
    return wanted[name] in (path, signatures)


def save_rejected(value):
    return Rejected(lambda name: save(**{name: value}))


SAVING = {
    "save_directory": Obeyed(
        lambda name: "config.json" in save(**{name: tempfile.mkdtemp()})
    ),
    "max_shard_size": Obeyed(lambda name: len(save(**{name: "9kB"})) > 4),
    "safe_serialization": Obeyed(
        lambda name: "pytorch_model.bin" in save(**{name: False})
    ),
    "saved_model": Obeyed(writes_saved_model),
    "version": Obeyed(writes_saved_model),
    "signatures": Obeyed(writes_saved_model),
    "is_main_process": save_rejected(False),
    **dict.fromkeys(
        (
            "create_pr",
            "distributed_checkpoint",
            "push_to_hub",
            "save_original_format",
            "save_peft_format",
            "state_dict",
            "token",
            "variant",
        ),
        save_rejected(True),
    ),
}


def push(**options):
    hub = Repository()
    opened = mock.Mock(return_value=hub)
    with mock.patch("tf_led.checkpoints.hub.push.HfApi", opened):
        plain().push_to_hub(**{"repo_id": "me/led", **options})
    return {**hub.calls["create_repo"], **hub.calls["upload_folder"]}, hub, opened


def pushes(value):
    return Obeyed(lambda name: push(**{name: value})[0][name] == value)


def push_rejected(value):
    return Rejected(lambda name: push(**{name: value}))


PUSHING = {
    "repo_id": pushes("me/other"),
    "commit_message": pushes("What is new"),
    "private": pushes(True),
    "revision": pushes("draft"),
    "create_pr": pushes(True),
    "token": Obeyed(
        lambda name: push(**{name: "secret"})[2].call_args.kwargs == {name: "secret"}
    ),
    "max_shard_size": Obeyed(lambda name: len(push(**{name: "9kB"})[1].files) > 5),
    "safe_serialization": Obeyed(
        lambda name: "pytorch_model.bin" in push(**{name: False})[1].files
    ),
    "use_temp_dir": push_rejected(True),
    "use_auth_token": push_rejected("secret"),
    "commit_description": push_rejected("text"),
    "tags": push_rejected(["led"]),
}


# generate


def generate(**options):
    return np.asarray(plain().generate(**{"max_new_tokens": 3, **options}))


def calls_back(value):
    """The function is called at every token."""

    def shows(name):
        spy = mock.Mock(side_effect=value)
        given = spy if name == "prefix_allowed_tokens_fn" else [spy]
        generate(inputs=IDS, **{name: given})
        return spy.called

    return Obeyed(shows)


def streams(name):
    spy = mock.Mock()
    generate(inputs=IDS[:1], **{name: spy})
    return spy.put.called and spy.end.called


def generate_rejected(name):
    generate(inputs=IDS, **{name: IDS})


def stops_by_text(name):
    """Strings to stop at need it, and say so."""
    try:
        generate(inputs=IDS, stop_strings=["a"])
    except ValueError as error:
        return f"`{name}`" in str(error)
    return False


def writes_drafts(name):
    """Only a model of the same vocabulary can."""
    try:
        generate(inputs=IDS, **{name: make_model(**SMALL, vocab_size=31)})
    except ValueError as error:
        return f"`{name}` has 31 tokens" in str(error)
    return False


GENERATING = {
    "inputs": Obeyed(lambda name: generate(**{name: IDS}).shape == (2, 4)),
    "generation_config": Obeyed(
        lambda name: (
            len(
                generate(
                    inputs=IDS,
                    **{name: GenerationConfig(num_beams=2, num_return_sequences=2)},
                )
            )
            == 4
        )
    ),
    "logits_processor": calls_back(lambda ids, scores: scores),
    "stopping_criteria": calls_back(lambda ids, scores, **_: True),
    "prefix_allowed_tokens_fn": calls_back(lambda row, ids: [5]),
    "streamer": Obeyed(streams),
    "seed": Obeyed(
        lambda name: (
            generate(inputs=IDS, do_sample=True, max_time=99.0, **{name: 1})
            == generate(inputs=IDS, do_sample=True, max_time=99.0, **{name: 1})
        ).all()
    ),
    "tokenizer": Obeyed(stops_by_text),
    "assistant_model": Obeyed(writes_drafts),
    **dict.fromkeys(
        (
            "custom_generate",
            "negative_prompt_attention_mask",
            "negative_prompt_ids",
            "synced_gpus",
        ),
        Rejected(generate_rejected),
    ),
}


# A call


def call(**options):
    return plain()(**{**INPUTS, **options})


def call_changes(value, beside=()):
    """The logits differ from those of a call without it."""

    def shows(name):
        given = {**INPUTS, **dict(beside)}
        before = plain()(**given).logits
        return not np.allclose(before, plain()(**{**given, name: value}).logits)

    return Obeyed(shows)


def instead_of(function, other, **beside):
    """What `function` computes stands in for the input `other`: the same logits."""

    def shows(name):
        given = {k: v for k, v in INPUTS.items() if k != other}
        found = plain()(**given, **beside, **{name: function()}).logits
        return np.allclose(found, logits(plain()), atol=1e-5)

    return Obeyed(shows)


def embed(name):
    return tf.gather(plain().get_input_embeddings().embeddings, INPUTS[name])


def continues(name):
    ids = INPUTS["decoder_input_ids"]
    past = call(decoder_input_ids=ids[:, :2]).past_key_values
    found = call(decoder_input_ids=ids[:, 2:], **{name: past}).logits
    return np.allclose(found[:, -1], logits(plain())[:, -1], atol=1e-5)


def drops_in_training(name):
    model = make_model(**{**SMALL, "dropout": 0.5})
    return not np.allclose(logits(model), logits(model, **{name: True}))


HALF = np.array([[1, 1, 1, 0, 0, 0, 0]] * 2)
FIRST = np.array([[1, 0, 0, 0, 0, 0, 0]] * 2)
HEADS = np.array([[1.0, 0.0, 1.0]])
CALLING = {
    "input_ids": call_changes(IDS[::-1]),
    "attention_mask": call_changes(HALF),
    "decoder_input_ids": call_changes(INPUTS["decoder_input_ids"][::-1]),
    "decoder_attention_mask": call_changes(np.array([[1, 0, 1]] * 2)),
    "head_mask": call_changes(HEADS),
    "decoder_head_mask": call_changes(HEADS),
    "cross_attn_head_mask": call_changes(HEADS),
    "global_attention_mask": call_changes(FIRST),
    "encoder_outputs": instead_of(
        lambda: plain().get_encoder()(input_ids=IDS), "input_ids"
    ),
    "inputs_embeds": instead_of(lambda: embed("input_ids"), "input_ids"),
    "decoder_inputs_embeds": instead_of(
        lambda: embed("decoder_input_ids"), "decoder_input_ids"
    ),
    "past_key_values": Obeyed(continues),
    "use_cache": Obeyed(
        lambda name: call(**{name: False}).get("past_key_values") is None
    ),
    "output_attentions": Obeyed(
        lambda name: len(call(**{name: True}).cross_attentions)
    ),
    "output_hidden_states": Obeyed(
        lambda name: len(call(**{name: True}).decoder_hidden_states)
    ),
    "return_dict": Obeyed(lambda name: isinstance(call(**{name: False}), tuple)),
    "labels": Obeyed(lambda name: call(**{name: LABELS}).loss > 0),
    "training": Obeyed(drops_in_training),
}


# prepare_tf_dataset


def batches(value):
    """What makes the dataset is given the value."""

    def shows(name):
        made = tf.data.Dataset.from_tensors({"input_ids": tf.constant([[0, 2]])})
        given = value() if callable(value) else value
        with mock.patch.object(datasets, "make_tf_dataset", return_value=made) as make:
            plain().prepare_tf_dataset(**{"dataset": "rows", name: given})
        return given in (make.call_args.kwargs.get(name), make.call_args.args[0])

    return Obeyed(shows)


def prefetches(name):
    made = tf.data.Dataset.from_tensors({"input_ids": tf.constant([[0, 2]])})
    with mock.patch.object(datasets, "make_tf_dataset", return_value=made):
        found = [plain().prepare_tf_dataset("rows", **{name: v}) for v in (True, False)]
    return found[1] is made and found[0] is not made


BATCHING = {
    "dataset": batches("other rows"),
    "batch_size": batches(3),
    "shuffle": batches(False),
    "tokenizer": batches("a tokenizer"),
    "collate_fn": batches(lambda: max),
    "collate_fn_args": batches(lambda: {"key": 1}),
    "drop_remainder": batches(True),
    "prefetch": Obeyed(prefetches),
}


def tables(old):
    """Every name, and the rows, by method."""

    def known(method, *functions):
        new = {name for function in functions for name in arguments(function)}
        return {*old.get(method, ()), *new} - {"model"}  # which is self

    loading = known("from_pretrained", PyTorch.from_pretrained, load) - {"options"}
    ours = set(inspect.signature(Generator.call).parameters) - {"self"}
    return {
        "from_pretrained": (loading | LOADING_NAMES | OURS, LOADING),
        "save_pretrained": (
            known(
                "save_pretrained", PyTorch.save_pretrained, Generator.save_pretrained
            ),
            SAVING,
        ),
        "push_to_hub": (
            known("push_to_hub", PyTorch.push_to_hub, Generator.push_to_hub),
            PUSHING,
        ),
        "generate": (
            known(
                "generate", transformers.GenerationMixin.generate, Generator.generate
            ),
            GENERATING,
        ),
        "call": (known("call") | ours, CALLING),
        "prepare_tf_dataset": (known("prepare_tf_dataset"), BATCHING),
        **{
            method: (
                known(method, getattr(keras.Model, method), getattr(Generator, method))
                - {"args"},
                rows,
            )
            for method, rows in fit_keywords.TABLES.items()
        },
    }
