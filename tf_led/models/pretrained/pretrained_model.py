"""What all models share: building, saving and loading."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload

import keras
import tensorflow as tf

from tf_led.models import config as model_config
from tf_led.models import led_config
from tf_led.models.backbone.decoder import TFLEDDecoder
from tf_led.models.backbone.encoder import TFLEDEncoder
from tf_led.models.backbone.main_layer import TFLEDMainLayer
from tf_led.models.config import LEDConfig, check_supported
from tf_led.models.inputs.named_inputs import NamedInputs
from tf_led.models.pretrained import editing, finetuning, resizing
from tf_led.models.pretrained import from_config as making
from tf_led.models.pretrained import from_pretrained as loading
from tf_led.models.pretrained import quantization as quantizing
from tf_led.models.pretrained import save_pretrained as saving
from tf_led.models.pretrained.summary import summary as print_summary
from tf_led.models.pretrained.weight_table import weight_table
from tf_led.models.serving import endpoints as served
from tf_led.models.serving import legacy_signatures
from tf_led.models.serving.export import ExportArguments
from tf_led.models.training import datasets
from tf_led.models.training.training_steps import TrainingSteps
from tf_led.utils.annotations import PathLike


class TFLEDPreTrainedModel(NamedInputs, TrainingSteps, keras.Model):
    """Base of the LED models; not built by itself.

    Args:
        config: LEDConfig; read, never changed. Every weight is made at once.
        max_global_tokens: int or None, a bound on the global tokens of a row, needed
            only for attention probabilities under `jit_compile=True`.
        attention_implementation: string, how the encoder's attention is computed;
            results differ by rounding alone. "loop": one block of queries at a time,
            the fastest on a CPU. "grouped": as many at a time as fit into 1 GB, for a
            GPU or TPU; "grouped:512MB" or "grouped:4GB" for another bound. "auto":
            "grouped" where TensorFlow sees a GPU or TPU, else "loop".
        **kwargs: of `keras.Model`, for instance `dtype="mixed_bfloat16"`.

    Raises:
        TypeError: if `config` is not a LEDConfig.
        ValueError: on a config that LED cannot have.

    Source: transformers 4.57, class of this name.

    Example:
        >>> from tf_led import TFLEDModel, TFLEDPreTrainedModel
        >>> issubclass(TFLEDModel, TFLEDPreTrainedModel)
        True
    """

    config_class = led_config.LEDConfig
    base_model_prefix = "led"
    main_input_name = "input_ids"
    framework = "tf"
    # Arguments of the constructor that `from_pretrained` takes beside those of all.
    own_options = ()

    def __init__(
        self,
        config: LEDConfig,
        *,
        max_global_tokens: int | None = None,
        attention_implementation: str = "auto",
        **kwargs: Any,
    ) -> None:
        if not isinstance(config, LEDConfig):
            raise TypeError(
                f"`config` must be a LEDConfig, got {type(config).__name__}. To load a "
                f"checkpoint use {type(self).__name__}.from_pretrained(...)."
            )
        check_supported(config)
        super().__init__(**kwargs)
        self.config = config
        self.name_or_path = getattr(config, "name_or_path", "")
        self.led = TFLEDMainLayer(
            config,
            max_global_tokens,
            attention_implementation,
            name="led",
            dtype=self.dtype_policy,
        )
        # PyTorch acts on this field of old config.json files too.
        recomputes = getattr(config, "gradient_checkpointing", False)
        self._set_gradient_checkpointing(bool(recomputes))
        self.remember_config()

    def build(self, input_shape=None):
        """Does nothing: every weight is made by the constructor."""
        self.built = True

    def __repr__(self):
        config = self.config
        return (
            f"<{type(self).__name__} {self.name}: {self.count_params():,} parameters, "
            f"{self.dtype_policy.name}, {config.encoder_layers} + "
            f"{config.decoder_layers} layers of width {config.d_model}, attention "
            f"window {config.attention_window}, "
            f"{config.max_encoder_position_embeddings:,} + "
            f"{config.max_decoder_position_embeddings:,} positions, vocabulary "
            f"{config.vocab_size:,}>"
        )

    def get_build_config(self):
        """Returns None: there is nothing to build after construction.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> print(model.get_build_config())
            None
        """

    @tf.autograph.experimental.do_not_convert  # it has nothing to convert
    def __call__(self, *args, **kwargs):
        """Checks the config, then calls the model: see `keras.Model`."""
        self.check_config()
        return super().__call__(*args, **kwargs)

    # Each of these is a function of a model, in the module that stands before its name.
    config = model_config.config
    remember_config = model_config.remember_config
    check_config = model_config.check_config
    from_pretrained = classmethod(loading.from_pretrained)
    from_config = _from_config = classmethod(making.from_config)
    save_pretrained = saving.save_pretrained
    save = saving.save
    push_to_hub = saving.push_to_hub
    resize_token_embeddings = resizing.resize_token_embeddings
    resize_position_embeddings = resizing.resize_position_embeddings
    set_attention_window = resizing.set_attention_window
    get_input_embeddings = editing.get_input_embeddings
    set_input_embeddings = editing.set_input_embeddings
    perturb_bos_embedding = editing.perturb_bos_embedding

    enable_lora = finetuning.enable_lora
    merge_lora = finetuning.merge_lora
    save_lora = finetuning.save_lora
    load_lora = finetuning.load_lora
    adapters = finetuning.adapters
    freeze = finetuning.freeze
    unfreeze = finetuning.unfreeze

    quantize = quantizing.quantize
    quantization = quantizing.quantization
    weights_to_save = quantizing.weights_to_save

    summary = print_summary

    prepare_tf_dataset = datasets.prepare_tf_dataset

    default_endpoint = "forward"  # what a request is served that names none
    text_endpoints = ()  # those that can take texts in place of ids
    endpoints = served.endpoints
    encoder_endpoint = served.encoder_endpoint
    endpoint_of = served.endpoint_of
    export = legacy_signatures.export
    serving_output = legacy_signatures.serving_output

    if TYPE_CHECKING:  # checkers would take these for what Keras has, or not see `Self`

        @overload
        @classmethod
        def from_pretrained(
            cls,
            name_or_path: PathLike | None = None,
            *model_args: Any,
            output_loading_info: Literal[False] = False,
            **kwargs: Any,
        ) -> Self: ...

        @overload
        @classmethod
        def from_pretrained(
            cls,
            name_or_path: PathLike | None = None,
            *model_args: Any,
            output_loading_info: Literal[True],
            **kwargs: Any,
        ) -> tuple[Self, dict[str, Any]]: ...

        @classmethod
        def from_config(
            cls, config: LEDConfig | dict[str, Any], **kwargs: Any
        ) -> Self: ...

        def export(
            self,
            path: PathLike,
            format: str = "tf_saved_model",
            verbose: bool = False,
            **options: Unpack[ExportArguments],
        ) -> Path: ...

    @functools.cached_property
    def serving(self) -> Callable[..., dict[str, tf.Tensor]]:
        """The forward pass as a `tf.function`: dict of inputs to dict of outputs.

        Its outputs are those of `serving_output`. For a signature:
        `model.serving.get_concrete_function(model.input_signature)`.
        """
        return legacy_signatures.make_serving(self)

    @property
    def input_signature(self) -> dict[str, tf.TensorSpec]:
        """What a signature of a call looks like: dict of int32[None, None] specs."""
        return {
            name: tf.TensorSpec([None, None], tf.int32, name=name)
            for name in self.dummy_inputs
        }

    def weight_table(self) -> dict[str, keras.Variable]:
        """Lists the weights by the paths of the checkpoint table.

        Returns:
            Dict from path to keras.Variable.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.weight_table()["led/encoder/layers/0/fc1/kernel"].shape
            TensorShape([12, 17])
        """
        return weight_table(self)

    @property
    def dummy_inputs(self) -> dict[str, tf.Tensor]:
        """The smallest inputs of a call: dict of int32[1, 2] tensors of ones."""
        names = ("input_ids", "attention_mask", "global_attention_mask")
        decoder_names = ("decoder_input_ids", "decoder_attention_mask")
        return {name: tf.ones([1, 2], tf.int32) for name in (*names, *decoder_names)}

    def get_encoder(self) -> TFLEDEncoder:
        """Gives the encoder.

        Returns:
            `TFLEDEncoder`, which can be called alone.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> encoder = model.get_encoder()
            >>> encoder(input_ids=[[0, 5, 7, 2]]).last_hidden_state.shape
            TensorShape([1, 4, 12])
        """
        return self.led.encoder

    def get_decoder(self) -> TFLEDDecoder:
        """Gives the decoder.

        Returns:
            `TFLEDDecoder`, which can be called alone.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> states = model.get_encoder()(input_ids=[[0, 5, 2]]).last_hidden_state
            >>> decoder = model.get_decoder()
            >>> output = decoder(input_ids=[[2, 5]], encoder_hidden_states=states)
            >>> output.last_hidden_state.shape
            TensorShape([1, 2, 12])
        """
        return self.led.decoder

    def get_output_embeddings(self) -> keras.layers.Layer | None:
        """Returns None: a model without a language head has none.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> print(model.get_output_embeddings())
            None
        """

    def get_bias(self) -> dict[str, keras.Variable] | None:
        """Returns None: a model without a language head has no bias on its logits.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> print(model.get_bias())
            None
        """

    def can_generate(self) -> bool:
        """Tells whether the model has `generate`.

        Returns:
            bool.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.can_generate()
            False
        """
        return False

    def gradient_checkpointing_enable(self) -> None:
        """Recomputes every layer in the backward pass: less memory, more time.

        Loss and gradients stay the same, dropout included.

        Source: arXiv 1604.06174; transformers' method of this name.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.gradient_checkpointing_enable()
            >>> model.is_gradient_checkpointing
            True
        """
        self._set_gradient_checkpointing(True)

    def gradient_checkpointing_disable(self) -> None:
        """Undoes `gradient_checkpointing_enable`.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.gradient_checkpointing_enable()
            >>> model.gradient_checkpointing_disable()
            >>> model.is_gradient_checkpointing
            False
        """
        self._set_gradient_checkpointing(False)

    @property
    def is_gradient_checkpointing(self) -> bool:
        """Whether layers are recomputed in the backward pass."""
        return self.led.encoder.gradient_checkpointing

    def _set_gradient_checkpointing(self, value):
        self.led.encoder.gradient_checkpointing = value
        self.led.decoder.gradient_checkpointing = value

    def num_parameters(self, only_trainable: bool = False) -> int:
        """Counts the parameters.

        Args:
            only_trainable: bool, whether to leave out those that do not train.

        Returns:
            int.

        Example:
            >>> from tf_led import TFLEDModel
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDModel(tiny_config())
            >>> model.num_parameters() == sum(v.numpy().size for v in model.weights)
            True
        """
        variables = self.trainable_variables if only_trainable else self.variables
        floats = ("float16", "bfloat16", "float32", "float64")
        return sum(int(tf.size(v)) for v in variables if v.dtype in floats)

    def get_config(self) -> dict[str, Any]:
        self.check_config()
        modes = self.quantization()
        return {
            "name": self.name,
            "dtype": keras.dtype_policies.serialize(self.dtype_policy),
            "config": self.config.to_dict(),
            "max_global_tokens": self.led.encoder.max_global_tokens,
            "attention_implementation": self.led.encoder.attention_implementation,
            **({"quantization": modes} if modes else {}),
        }
