"""Weights as tf_model.h5, as transformers' TensorFlow LED (up to 4.57) wrote it."""

import h5py
import numpy as np

from tf_led.checkpoints import names, tf_names

H5_FILE = "tf_model.h5"
# What the old classes called themselves when Keras named them; by a weight of theirs.
_MODELS = {
    "final_logits_bias": "tfled_for_conditional_generation",
    "classification_head": "tfled_for_sequence_classification",
    "qa_outputs": "tfled_for_question_answering",
}
_BARE_MODEL = "tfled_model"
_SHARED = "led.shared/embeddings:0"
# HDF5 takes no longer attribute; lists of names go on in a second one.
_ATTRIBUTE_LIMIT = 64512


def write_h5(path, tensors):
    """Writes one tf_model.h5, with one tensor in memory at a time.

    Args:
        path: str or Path, where to.
        tensors: dict of `LazyTensor` by PyTorch's key.

    Raises:
        ValueError: if a weight is not one that the old classes had a name for, as
            those of a model with `tie_word_embeddings=False`.
    """
    model = _model_name(tensors)
    with h5py.File(path, "w") as file:
        file.attrs["backend"] = "tensorflow"
        file.attrs["keras_version"] = "2.15.0"
        groups = _grouped(tensors, model)
        _write_names(file, "layer_names", [*groups])
        for layer, named in groups.items():
            group = file.create_group(layer)
            _write_names(group, "weight_names", [*named])
            for name, tensor in named.items():
                group[name] = _as_tf(tensor)
        _write_names(file.create_group("top_level_model_weights"), "weight_names", [])


def _model_name(tensors):
    heads = {key.split(".")[0] for key in tensors}
    return next((name for head, name in _MODELS.items() if head in heads), _BARE_MODEL)


def _grouped(tensors, model):
    """Returns tensors by weight name, by the name of the layer that Keras lists."""
    groups = {}
    for key, tensor in tensors.items():
        name = _tf_name(key)
        layer = name.split("/")[0].split(".")[0].split(":")[0]
        groups.setdefault(layer, {})[_in_file(name, model)] = tensor
    return dict(sorted(groups.items(), key=lambda item: item[0] != "led"))


def _tf_name(key):
    ours = names.to_ours(key)
    is_tied_name = names.bare(key) in names.TIED
    name = None if ours is None or is_tied_name else tf_names.to_tf(ours[0])
    if name is None:
        raise ValueError(
            f"`{key}` has no name in transformers' TensorFlow LED, so tf_model.h5 "
            "cannot hold it; save as safetensors."
        )
    return name


def _in_file(name, model):
    if name == _SHARED:  # the one layer that the old classes named by themselves
        return f"led.shared/{name}"
    return name if "/" not in name else f"{model}/{name}"


def _as_tf(tensor):
    array = names.to_ours(tensor.name)[1](tensor.read())
    # HDF5 has no bfloat16; every one of its numbers is a float32.
    return array.astype("float32") if tensor.dtype == "bfloat16" else array


def _write_names(group, attribute, listed):
    """Writes a list of names as Keras 2 does: in one attribute, or numbered parts."""
    encoded = np.array([name.encode() for name in listed], dtype="S")
    if encoded.nbytes <= _ATTRIBUTE_LIMIT:
        group.attrs[attribute] = encoded if listed else np.array([], dtype="S1")
        return
    for number, part in enumerate(_parts(encoded)):
        group.attrs[f"{attribute}{number}"] = part


def _parts(encoded):
    count = -(-encoded.nbytes // _ATTRIBUTE_LIMIT)
    return np.array_split(encoded, count + 1)
