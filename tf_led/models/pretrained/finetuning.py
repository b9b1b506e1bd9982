"""Which weights train: LoRA adapters, and freezing by name."""

import contextlib
import gc
import warnings

import numpy as np

from tf_led.checkpoints.peft import load_adapters, save_adapters
from tf_led.models.pretrained.editing import EditingMixin
from tf_led.models.pretrained.from_pretrained import layer_table, matches
from tf_led.training import lora
from tf_led.utils.versions import filters_option

# Queries and values, local and global, of every attention.
DEFAULT_TARGETS = ("query", "value", "query_global", "value_global", "q_proj", "v_proj")
GLOBAL_PROJECTIONS = ("query_global", "key_global", "value_global")


class FineTuningMixin(EditingMixin):
    """Trains adapters, or a part of the weights, in place of all of them."""

    def enable_lora(self, rank, *, alpha=None, targets=DEFAULT_TARGETS, trainable=()):
        """Freezes the model and gives it low-rank adapters to train (LoRA).

        The outputs stay what they are until the adapters have learned something.
        Compile afterwards: the optimizer of before does not know the adapters.

        Args:
            rank: int >= 1.
            alpha: number, or None for `rank`. The product of an adapter's two factors
                counts `alpha / rank`.
            targets: names of the layers that get adapters: "query", "key", "value",
                "query_global", "key_global", "value_global", "output" (encoder),
                "q_proj", "k_proj", "v_proj", "out_proj" (decoder), "fc1", "fc2",
                "shared" (the token embedding), layers of a head; or longer parts of a
                path, such as "decoder/layers/0" or "encoder_attn/v_proj".
            trainable: names of weights that train beside them, such as "bias",
                "final_layer_norm" or "classification_head".

        Raises:
            ValueError: on a rank or alpha out of range, a name that no layer or weight
                has, a model that has adapters, or one that is quantised.

        Source: LoRA (arXiv 2106.09685), by `keras.layers.Dense.enable_lora`.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.enable_lora(rank=2, targets=["q_proj", "v_proj"])
            >>> len(model.trainable_variables)  # 2 layers, 2 attentions, 2 x 2 factors
            16
        """
        lora.check_rank(rank, alpha)
        chosen = _choose(layer_table(self), targets, "targets")
        lora.check_rank(rank, alpha, chosen.values())
        beside = _choose(self._trainable_table(), trainable, "trainable")
        self._add_adapters(chosen, rank, alpha or rank, beside)

    def _add_adapters(self, layers, rank, alpha, beside):
        self._check_no_adapters()
        trained = self._trainable_table()
        self._frozen_for_lora = tuple(trained)
        for variable in trained.values():
            variable.trainable = False
        with self.distribute_strategy.scope():
            lora.add_adapters(layers.values(), rank, alpha)
        for variable in beside.values():
            variable.trainable = True
        self._ask_for_compile()

    def _check_no_adapters(self):
        if self.adapters():
            raise ValueError(
                "The model has LoRA adapters: merge_lora() takes them in first."
            )
        for path in self.quantization():
            raise ValueError(
                f"`{path}` is quantised; add adapters and train them first, then "
                "merge_lora(), then quantize."
            )

    def adapters(self):
        """The layers that have LoRA adapters.

        Returns:
            Dict from path, such as "led/decoder/layers/0/fc1", to Keras layer; empty
            without `enable_lora`.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.enable_lora(rank=2, targets=["q_proj"])
            >>> sorted(model.adapters())[0]
            'led/decoder/layers/0/encoder_attn/q_proj'
        """
        table = layer_table(self)
        return {path: layer for path, layer in table.items() if layer.lora_enabled}

    def merge_lora(self):
        """Adds the adapters to the weights and takes them off.

        What trained before `enable_lora` trains again. Compile afterwards. Generating
        is faster then: with adapters every step adds them anew.

        Raises:
            ValueError: if there are none.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.enable_lora(rank=2, targets=["q_proj"])
            >>> model.merge_lora()
            >>> model.adapters()
            {}
        """
        for layer in self._adapters("merge").values():
            lora.merge_adapter(layer)
        table = self.weight_table()
        for path in self._frozen_for_lora:
            table[path].trainable = True
        self._ask_for_compile()

    def save_lora(self, directory):
        """Writes the adapters alone, and what else was trained beside them.

        `save_pretrained` writes the whole model with the adapters merged.

        Args:
            directory: folder, made if it is not there. It gets
                adapter_model.safetensors and adapter_config.json, as PEFT has them.

        Raises:
            ValueError: if the model has no adapters.
            NotADirectoryError: if `directory` is a file.

        Source: the files are PEFT's.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.enable_lora(rank=2, targets=["q_proj"])
            >>> model.save_lora("adapters")
            >>> import os
            >>> sorted(os.listdir("adapters"))
            ['adapter_config.json', 'adapter_model.safetensors']
        """
        layers = self._adapters("save")
        paths = {id(v): path for path, v in self.weight_table().items()}
        one = next(iter(layers.values()))
        save_adapters(
            directory,
            {
                paths[id(lora.weight_of(layer))]: lora.adapters_of(layer)
                for layer in layers.values()
            },
            self._trainable_table(),
            rank=one.lora_rank,
            alpha=one.lora_alpha,
            base=self.name_or_path,
        )

    def load_lora(self, directory):
        """Puts on the adapters that `save_lora`, or PEFT, has written.

        The model must be the one that they were trained on. They can be trained on.

        Args:
            directory: folder.

        Raises:
            FileNotFoundError: if it holds no adapters.
            ValueError: if they do not fit, or the model has adapters already.

        Source: the files are PEFT's.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.enable_lora(rank=2, targets=["q_proj"])
            >>> model.save_pretrained("base")
            >>> model.save_lora("adapters")
            >>> again = TFLEDForConditionalGeneration.from_pretrained("base")
            >>> again.load_lora("adapters")
            >>> len(again.adapters())  # 2 layers with 2 attentions
            4
        """
        self._check_no_adapters()
        adapters, others, config = load_adapters(directory)
        weights = self.weight_table()
        layers = {id(lora.weight_of(layer)): layer for layer in _layers(self)}
        for path, array in [*adapters.items(), *others.items()]:
            _check_fit(path, array, weights, layers, directory)
        chosen = {path: layers[id(weights[path])] for path in adapters}
        beside = {path: weights[path] for path in others}
        self._add_adapters(chosen, config["r"], config["lora_alpha"], beside)
        for path, layer in chosen.items():
            for variable, array in zip(
                lora.adapters_of(layer), adapters[path], strict=True
            ):
                variable.assign(array)
        for path, variable in beside.items():
            variable.assign(others[path])

    def freeze(self, *names):
        """Stops weights from training. Compile afterwards.

        Args:
            *names: parts of paths, such as "encoder", "decoder/layers/0", "embeddings"
                (of tokens and positions), "shared" (of tokens), "bias";
                "global_projections" for the projections of global attention. "encoder"
                does not hold the token embedding, which the decoder shares.

        Raises:
            ValueError: on a name that no weight has.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.freeze("encoder", "embeddings")
            >>> any("/encoder/" in v.path for v in model.trainable_variables)
            False
        """
        self._set_trainable(names, False)

    def unfreeze(self, *names):
        """Has frozen weights train again. Compile afterwards.

        Args:
            *names: as for `freeze`.

        Raises:
            ValueError: on a name that no weight has.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.freeze("encoder", "decoder", "embeddings")
            >>> model.unfreeze("fc1")
            >>> len(model.trainable_variables)  # kernel and bias, 2 + 2 layers
            8
        """
        self._set_trainable(names, True)

    def _set_trainable(self, names, value):
        aliases = {"global_projections": GLOBAL_PROJECTIONS}
        names = [part for name in names for part in aliases.get(name, (name,))]
        table = self.weight_table()
        # Not a weight but a buffer, in PyTorch too.
        table.pop("final_logits_bias", None)
        for variable in _choose(table, names, "names").values():
            variable.trainable = value
        self._ask_for_compile()

    def quantize(self, mode=None, config=None, filters=None, **kwargs):
        """Turns matrices into small integers, as `keras.Model.quantize`.

        Args:
            mode: "int8" or "int4".
            config: see there.
            filters: see there.
            **kwargs: see there.

        Raises:
            ValueError: if the model has LoRA adapters.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.quantize("int8")
            >>> model.quantization()["led/encoder/layers/0/fc1"]
            'int8'
        """
        if self.adapters():
            raise ValueError(
                f"quantize({mode!r}) of a model with LoRA adapters: merge_lora() first."
            )
        with _cheap_collection(), warnings.catch_warnings():
            # Keras says so of every LayerNormalization: a norm has no matrix.
            warnings.filterwarnings("ignore", "Layer .* does not have a `quantize`")
            super().quantize(mode, config=config, **filters_option(filters), **kwargs)
        self._forget_compiled()

    def quantization(self):
        """Which layers are quantised.

        Returns:
            Dict from path, such as "led/encoder/layers/0/fc1", to mode.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.quantization()
            {}
        """
        table = layer_table(self)
        modes = {path: layer.quantization_mode for path, layer in table.items()}
        return {path: mode for path, mode in modes.items() if mode is not None}

    def weights_to_save(self):
        """The weights as a checkpoint is to hold them, LoRA adapters merged.

        Returns:
            Dict from path to keras.Variable, or to what has its shape, dtype and array.

        Raises:
            ValueError: if the model is quantised: its weights lack their scales.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.weights_to_save()["led/encoder/layers/0/fc1/kernel"].shape
            TensorShape([12, 17])
        """
        table = self.weight_table()
        merged = {
            id(lora.weight_of(layer)): lora.MergedWeight(layer)
            for layer in self.adapters().values()
        }
        for path in self.quantization():
            raise ValueError(
                f"`{path}` is quantised, which PyTorch's format has no place for: "
                "use model.save('model.keras'), or save before quantize."
            )
        return {path: merged.get(id(v), v) for path, v in table.items()}

    def _trainable_table(self):
        return {path: v for path, v in self.weight_table().items() if v.trainable}

    def _adapters(self, purpose):
        layers = self.adapters()
        if not layers:
            raise ValueError(f"There are no adapters to {purpose}: use enable_lora.")
        return layers

    def _ask_for_compile(self):
        """Undoes `compile`: the optimizer knows other variables than now train."""
        self.compiled = False
        self.optimizer = None
        self._forget_compiled()


@contextlib.contextmanager
def _cheap_collection():
    """Keras collects garbage once for each variable that it replaces.

    Looking at everything that was there before takes far longer than quantising.
    """
    was_frozen = gc.get_freeze_count()
    gc.freeze()
    try:
        yield
    finally:
        if not was_frozen:
            gc.unfreeze()


def _choose(table, names, argument):
    if isinstance(names, str):
        raise ValueError(f"`{argument}` must be a list of names, got {names!r}.")
    chosen = {}
    for name in names:
        found = {path: v for path, v in table.items() if matches(name, path)}
        if not found:
            allowed = sorted({part for path in table for part in path.split("/")})
            raise ValueError(
                f"`{argument}` has {name!r}, which is no part of any path here; parts "
                f"are {', '.join(part for part in allowed if not part.isdigit())}."
            )
        chosen |= found
    return chosen


def _layers(model):
    return layer_table(model).values()


def _check_fit(path, array, weights, layers, directory):
    if path not in weights:
        raise ValueError(f"{directory} has an entry for `{path}`; this model has none.")
    shape = tuple(weights[path].shape)
    if isinstance(array, np.ndarray):
        given = array.shape
    else:
        given = (array[0].shape[0], array[1].shape[1])
        if id(weights[path]) not in layers:
            raise ValueError(f"{directory}: `{path}` cannot have an adapter.")
    if given != shape:
        raise ValueError(
            f"{directory}: the entry for `{path}` is for a weight of shape {given}, "
            f"this model's has {shape}. Load them on the model they were trained on."
        )
