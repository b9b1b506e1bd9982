"""Fields of LEDConfig: given to it, and set on the config of a model later."""

import inspect
from functools import cache

import numpy as np
from transformers import LEDConfig as TransformersConfig
from transformers import PretrainedConfig

import tf_led
from tests.models.conftest import SMALL, make_model
from tests.models.generation.test_config_options import VALUES
from tests.settings.rows import Harmless, Obeyed, Rejected
from tf_led.models.config import OPTION_NAMES
from tf_led.models.generation.generation_mixin import GenerationMixin
from tf_led.testing import tiny_config

Generator = tf_led.TFLEDForConditionalGeneration
Classifier = tf_led.TFLEDForSequenceClassification
# One batch of two documents.
INPUTS = {
    "input_ids": np.array([[0, 5, 11, 7, 17, 23, 2], [0, 7, 13, 4, 9, 8, 2]]),
    "decoder_input_ids": np.array([[2, 5, 7], [2, 11, 3]]),
}
LABELS = np.array([[5, 7, 2], [11, 4, 2]])
NO_DROPOUT = {"dropout": 0.0}


def names(old):
    """Every field of both versions of transformers, and those that only models read."""
    new = {
        *TransformersConfig().to_dict(),
        *TransformersConfig.attribute_map,
        *inspect.signature(TransformersConfig.__init__).parameters,
        *inspect.signature(PretrainedConfig.__init__).parameters,
    }
    ours = {"attn_implementation", "gradient_checkpointing", "pooling", "torch_dtype"}
    return {*old["config"], *new, *ours, *OPTION_NAMES} - {"self", "kwargs"}


def make(cls=Generator, **fields):
    return make_model(cls, **{**SMALL, **NO_DROPOUT, **fields})


@cache
def plain(cls=Generator):
    return make(cls)


def shapes(model):
    return {path: tuple(w.shape) for path, w in model.weight_table().items()}


def logits(model, **options):
    inputs = {"input_ids": INPUTS["input_ids"]} if is_classifier(model) else INPUTS
    return np.asarray(model(inputs, return_dict=True, **options).logits)


def is_classifier(model):
    return isinstance(model, Classifier)


def output(model):
    return model(INPUTS)


def changes_shapes(value, cls=Generator):
    """Other weights are made."""
    return Obeyed(lambda name: shapes(make(cls, **{name: value})) != shapes(plain(cls)))


def changes_logits(value, cls=Generator):
    """The same weights compute something else."""

    def shows(name):
        model = make(cls, **{name: value})
        return not np.allclose(logits(model), logits(plain(cls)))

    return Obeyed(shows)


def acts_in_training(value, cls=Generator):
    """A call in training computes something else."""

    def shows(name):
        model = make(cls, **{name: value})
        still, moved = logits(model), logits(model, training=True)
        return np.allclose(still, logits(plain(cls))) and not np.allclose(still, moved)

    return Obeyed(shows)


def reaches_generation(name):
    """A model of the config generates with it; what is no option raises there."""
    value = VALUES.get(name, 7)
    model = GenerationMixin()  # all of a model that looks at these
    model.config = tiny_config(**{name: value})
    model.add_generation()
    return getattr(model.generation_config, name) == value


def shows_built(function, value):
    """`function` of a model that was built with the value says True."""
    return Obeyed(lambda name: function(make(**{name: value})))


def rejected(value, named=None):
    return Rejected(lambda name: make(**{name: value}), named)


def pipeline(model, tokenizer):
    return tf_led.pipeline("summarization", model, tokenizer=tokenizer)


def task_params(name):
    """A pipeline writes as the config says."""
    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
    tokenizer = tf_led.LEDTokenizerFast(vocab, [])
    if name == "prefix":
        write = pipeline(make(prefix="aa"), tokenizer)
        return write.prefix == "aa"
    params = {"summarization": {"num_beams": 7}}
    model = make(task_specific_params=params)
    write = pipeline(model, tokenizer)
    return write.defaults["num_beams"] == 7


def loss_of_a_kind(name):
    """The classifier's loss is the one that is named."""
    model, labels = make(Classifier), np.array([[1.0, 0.0], [0.0, 1.0]])
    scores = logits(model)
    by_itself = float(model.hf_compute_loss(labels, scores))
    model.config.problem_type = "regression"
    return float(model.hf_compute_loss(labels, scores)) != by_itself


def padding_is_no_label(model):
    pad = model.config.pad_token_id
    _, count = model.sum_loss(np.array([[pad, 5, 2]]), np.zeros([1, 3, 29], "float32"))
    return float(count) == 2.0


def spreads_weights(name):
    model = Generator(tiny_config(**SMALL, **{name: 5.0}))
    return np.std(model.get_input_embeddings().embeddings) > 2


def start_of(model):
    return int(model.prepare_decoder_input_ids_from_labels(LABELS)[0, 0])


BUILT = {
    "vocab_size": changes_shapes(31),
    "d_model": changes_shapes(15),
    "hidden_size": changes_shapes(15),
    "encoder_layers": changes_shapes(2),
    "num_hidden_layers": changes_shapes(2),
    "decoder_layers": changes_shapes(2),
    "encoder_ffn_dim": changes_shapes(23),
    "decoder_ffn_dim": changes_shapes(23),
    "max_encoder_position_embeddings": changes_shapes(37),
    "max_decoder_position_embeddings": changes_shapes(37),
    "tie_word_embeddings": changes_shapes(False),
    "num_labels": changes_shapes(5, Classifier),
    "id2label": changes_shapes({0: "a", 1: "b", 2: "c"}, Classifier),
    "pooling": changes_logits("encoder_first", Classifier),
    "encoder_attention_heads": changes_logits(4),
    "num_attention_heads": changes_logits(4),
    "decoder_attention_heads": changes_logits(4),
    "activation_function": changes_logits("relu"),
    "attention_window": changes_logits(2),
    "dropout": acts_in_training(0.5),
    "attention_dropout": acts_in_training(0.5),
    "attention_probs_dropout_prob": acts_in_training(0.5),
    "activation_dropout": acts_in_training(0.5),
    "encoder_layerdrop": acts_in_training(1.0),
    "decoder_layerdrop": acts_in_training(1.0),
    "classifier_dropout": acts_in_training(0.5, Classifier),
    "gradient_checkpointing": shows_built(lambda m: m.is_gradient_checkpointing, True),
}
STD = dict.fromkeys(("init_std", "initializer_range"), Obeyed(spreads_weights))
READ_LATER = {
    "pad_token_id": (7, padding_is_no_label),
    "decoder_start_token_id": (9, lambda m: start_of(m) == 9),
    "output_attentions": (
        True,
        lambda m: output(m).get("cross_attentions") is not None,
    ),
    "output_hidden_states": (
        True,
        lambda m: output(m).get("encoder_hidden_states") is not None,
    ),
    "return_dict": (False, lambda m: isinstance(output(m), tuple)),
    "use_cache": (False, lambda m: output(m).get("past_key_values") is None),
    "eos_token_id": (7, lambda m: m.generation_config.eos_token_id == 7),
    "bos_token_id": (7, lambda m: m.generation_config.bos_token_id == 7),
}
ROWS = {
    **BUILT,
    **STD,
    **{name: shows_built(f, value) for name, (value, f) in READ_LATER.items()},
    "problem_type": Obeyed(loss_of_a_kind),
    "prefix": Obeyed(task_params),
    "task_specific_params": Obeyed(task_params),
    "is_encoder_decoder": rejected(False),
    "is_decoder": rejected(True),
    "add_cross_attention": rejected(True),
    "cross_attention_hidden_size": rejected(16),
    "pruned_heads": rejected({0: [1]}),
    "tie_encoder_decoder": rejected(True),
    "torchscript": rejected(True),
    "use_bfloat16": rejected(True),
    "tf_legacy_loss": rejected(True),
    "attn_implementation": rejected("sdpa"),
    **dict.fromkeys(
        (
            "_name_or_path",
            "architectures",
            "chunk_size_feed_forward",
            "dtype",
            "finetuning_task",
            "label2id",
            "model_type",
            "sep_token_id",
            "tokenizer_class",
            "torch_dtype",
            "transformers_version",
        ),
        Harmless(),
    ),
}
ROWS |= {name: Obeyed(reaches_generation) for name in OPTION_NAMES - set(ROWS)}

# What becomes of `model.config.<field> = value`.
OTHER_VALUES = {"gradient_checkpointing": True, "pooling": "encoder_mean"}
REAL_NAMES = {**tf_led.LEDConfig.attribute_map, "id2label": "num_labels"}


def set_later(value, function):
    """Sets a field of a built model, and runs it; the field is as before afterwards."""

    def does(name):
        model = plain()
        before = getattr(model.config, name, None)
        try:
            setattr(model.config, name, value)
            return function(model)
        finally:
            setattr(model.config, name, before)

    return does


def later_names():
    """Every field that a model's config has, and the other names of some."""
    config = TransformersConfig()
    fields = {*config.to_dict(), *config.attribute_map, "num_labels", *OTHER_VALUES}
    return {name for name in fields if not name.startswith("_")}


def later_row(name):
    """Decides: read by every call, or rejected by the next one."""
    if name in READ_LATER:
        value, function = READ_LATER[name]
        return Obeyed(set_later(value, function))
    value = {"num_labels": 7, "tie_word_embeddings": False, **OTHER_VALUES}.get(name)
    if name == "id2label":
        value = dict(enumerate("abcdefg"))
    if value is None:
        value = "relu" if name == "activation_function" else 98
    return Rejected(set_later(value, output), REAL_NAMES.get(name))


LATER = {name: later_row(name) for name in {*BUILT, *READ_LATER}}
LATER |= {
    "problem_type": Obeyed(loss_of_a_kind),
    # Only what is drawn later is drawn so.
    "init_std": Obeyed(lambda name: rows_drawn_with(name)),
    "initializer_range": Obeyed(lambda name: rows_drawn_with(name)),
    "is_encoder_decoder": Rejected(set_later(False, output)),
    **dict.fromkeys(
        (
            "architectures",
            "chunk_size_feed_forward",
            "dtype",
            "label2id",
            "model_type",
            "transformers_version",
        ),
        Harmless(),
    ),
}


def rows_drawn_with(name):
    """New rows of a resized table have the spread that the config says."""
    model = make()
    setattr(model.config, name, 50.0)
    model.resize_token_embeddings(41, mean_resizing=False)
    return np.std(model.get_input_embeddings().embeddings[29:]) > 20
