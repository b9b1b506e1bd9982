"""`generate` for models with a language head."""

from typing import Any, NamedTuple

import tensorflow as tf
from transformers import GenerationConfig

from tf_led.generation.decode import decode, finalize
from tf_led.generation.options.resolve import check_vocabulary, plain, resolve_options
from tf_led.generation.processors.build import build_processors
from tf_led.generation.prompt import prepare_prompt
from tf_led.generation.search.greedy_and_sampling import make_seed
from tf_led.generation.stopping import python_only
from tf_led.models.backbone.config import LEDConfig
from tf_led.models.generation.decode_step import DecodeStep, UncachedStep
from tf_led.models.generation.generation_inputs import convert_inputs, take_inputs
from tf_led.models.inputs import validation
from tf_led.models.inputs.model_inputs import DocumentInputs


class SavedGeneration:
    """Keeps a model's `generation_config` in its `.keras` file, as in checkpoints."""

    def get_config(self):
        generation_config = self.generation_config.to_dict()
        return {**super().get_config(), "generation_config": generation_config}

    @classmethod
    def from_config(cls, config, **kwargs):
        """Builds a model from a LEDConfig, or from what `get_config` returned.

        Args:
            config: LEDConfig or dict.
            **kwargs: further arguments of the model.

        Returns:
            The model, freshly initialised, with the generation config that it had.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.generation_config.num_beams = 5
            >>> again = TFLEDForConditionalGeneration.from_config(model.get_config())
            >>> again.generation_config.num_beams
            5
        """
        if isinstance(config, LEDConfig):
            return super().from_config(config, **kwargs)
        config = dict(config)
        generation_config = config.pop("generation_config", None)
        model = super().from_config(config, **kwargs)
        if generation_config is not None:
            model.generation_config = GenerationConfig.from_dict(generation_config)
        return model

    _from_config = from_config


class PythonHooks(NamedTuple):
    """What a user hands in as Python objects; they cannot run inside a graph."""

    logits_processor: Any = None
    stopping_criteria: Any = None
    prefix_allowed_tokens_fn: Any = None
    streamer: Any = None
    tokenizer: Any = None

    def names(self, options):
        """Names what of this call needs Python at every token."""
        found = python_only(
            options, criteria=self.stopping_criteria or (), streamer=self.streamer
        )
        hooks = ("logits_processor", "prefix_allowed_tokens_fn")
        return found + [name for name in hooks if getattr(self, name)]


class GenerationMixin:
    """Adds `generate` and `generation_config` to a model."""

    def add_generation(self):
        """Sets the generation config that the model's config implies.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.generation_config = None
            >>> model.add_generation()  # the constructor has done so once
            >>> model.generation_config.eos_token_id
            2
        """
        self.generation_config = GenerationConfig.from_model_config(self.config)
        # Not by assignment: Keras would track the dict.
        self.__dict__["_compiled_generation"] = {}

    def generate(
        self,
        inputs=None,
        generation_config=None,
        logits_processor=None,
        stopping_criteria=None,
        prefix_allowed_tokens_fn=None,
        streamer=None,
        seed=None,
        tokenizer=None,
        **kwargs,
    ):
        """Generates token ids, as PyTorch's `generate` does for LED.

        Called eagerly it compiles encoder and decoding loop once per set of options.
        Inside `tf.function`, with or without `jit_compile=True`, it is part of that
        graph; under XLA sequences are padded to `max_length`. Options that need Python
        at every token (`streamer`, `stop_strings`, `max_time`, custom processors and
        criteria, `prefix_allowed_tokens_fn`) run eagerly only.

        Args:
            inputs: int[B, S], the documents' token ids, as `input_ids`; or a dict of
                inputs, as a tokenizer returns it.
            generation_config: transformers' GenerationConfig, or None for the model's.
            logits_processor: list of callables (input_ids, scores) -> scores, or None.
            stopping_criteria: list of callables (input_ids, scores) -> bool, or None.
            prefix_allowed_tokens_fn: callable (row, ids) -> list of allowed ids.
            streamer: object with `put` and `end`, for greedy search and sampling.
            seed: int of 64 bits, or pair of 32, for sampling; the same seed, the same
                tokens.
            tokenizer: needed for `stop_strings`.
            **kwargs: `attention_mask`, `global_attention_mask`, `inputs_embeds`,
                `encoder_outputs`, `decoder_input_ids`, `decoder_attention_mask`,
                `head_mask`, `decoder_head_mask`, `cross_attn_head_mask` as in a call of
                the model; and any option of GenerationConfig, which wins over the
                config's.

        Returns:
            int32[B * num_return_sequences, T], decoder start token first, padded with
            `pad_token_id`; or, with `return_dict_in_generate`, a struct that has them
            as `sequences`.

        Raises:
            ValueError: on an option that is unknown, not supported, or contradicts
                another; on inputs that the model does not take.

        Source: transformers 5.23, method of this name.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> model.generate([[0, 5, 7, 2]], num_beams=2, max_new_tokens=3).shape[0]
            1
        """
        hooks = PythonHooks(
            logits_processor,
            stopping_criteria,
            prefix_allowed_tokens_fn,
            streamer,
            tokenizer,
        )
        inputs, overrides = take_inputs(inputs, kwargs)
        inputs = convert_inputs(inputs, self.config, self.compute_dtype)
        prompt = prepare_prompt(
            inputs.decoder_input_ids,
            inputs.decoder_attention_mask,
            batch_size=tf.shape(inputs.document())[0],
            start_token_id=self._start_token_id(generation_config, overrides),
        )
        options = resolve_options(
            generation_config,
            defaults=self.generation_config,
            overrides=overrides,
            prompt_len=prompt[0].shape[1],
            position_limit=self.config.max_decoder_position_embeddings,
        )
        seed = _seed_of(options, seed)
        if tf.executing_eagerly() and not hooks.names(options):
            decoded, encoded = self._compiled_run(options, inputs, prompt, seed)
        else:
            decoded, encoded = self._run(options, inputs, prompt, seed, hooks)
        result = finalize(
            decoded,
            options=options,
            prompt_len=prompt[0].shape[1],
            encoder_attentions=encoded.attentions,
            encoder_hidden_states=encoded.hidden_states,
            encoder_global_attentions=encoded.global_attentions,
        )
        return result if options.return_dict_in_generate else result.sequences

    def prepare_inputs_for_generation(
        self,
        decoder_input_ids,
        past_key_values=None,
        encoder_outputs=None,
        attention_mask=None,
        decoder_attention_mask=None,
        use_cache=None,
        **kwargs,
    ):
        """The arguments of the model's call for the next token of a loop of one's own.

        Args:
            decoder_input_ids: int[B, T], all tokens so far.
            past_key_values: of the previous call, or None at the first.
            encoder_outputs: of `get_encoder()`, so that the encoder runs once.
            attention_mask: int[B, S], 0 for padding of the document.
            decoder_attention_mask: int[B, T] or None.
            use_cache: bool or None.
            **kwargs: head masks; other names are refused.

        Returns:
            Dict for a call of the model.

        Raises:
            ValueError: on a name that the next call could not use.

        Source: transformers 4.57, method of this name.

        Example:
            >>> from tf_led import TFLEDForConditionalGeneration
            >>> from tf_led.testing import tiny_config
            >>> model = TFLEDForConditionalGeneration(tiny_config())
            >>> import tensorflow as tf
            >>> encoded = model.get_encoder()(input_ids=[[0, 5, 7, 2]])
            >>> start = tf.constant([[2]])
            >>> first = model.prepare_inputs_for_generation(start, None, encoded)
            >>> output = model(**first, return_dict=True)
            >>> tokens = tf.constant([[2, 5]])
            >>> then = model.prepare_inputs_for_generation(
            ...     tokens, output.past_key_values, encoded
            ... )
            >>> then["decoder_input_ids"].numpy().tolist()  # the cache knows the others
            [[5]]
        """
        masks = {"head_mask", "decoder_head_mask", "cross_attn_head_mask"}
        unused = sorted(set(kwargs) - masks)
        if unused:
            raise ValueError(
                f"The next step has no use for {', '.join(map(repr, unused))}: the "
                "encoder has run already. Leave it out."
            )
        if past_key_values is not None:
            decoder_input_ids = decoder_input_ids[:, -1:]
        return {
            "input_ids": None,
            "encoder_outputs": encoder_outputs,
            "past_key_values": past_key_values,
            "decoder_input_ids": decoder_input_ids,
            "attention_mask": attention_mask,
            "decoder_attention_mask": decoder_attention_mask,
            "use_cache": use_cache,
            **kwargs,
        }

    def _start_token_id(self, generation_config, overrides):
        for source in (
            overrides,
            getattr(generation_config, "__dict__", {}),  # `resolve_options` checks it.
            vars(self.generation_config),
        ):
            if source.get("decoder_start_token_id") is not None:
                return plain(source["decoder_start_token_id"])
        return self.config.bos_token_id

    def _compiled_run(self, options, inputs, prompt, seed):
        """Runs in a graph that is kept for the next call with these options."""
        prompt_len = prompt[0].shape[1]
        key = (options, prompt_len)
        if key not in self._compiled_generation:

            @tf.function(reduce_retracing=True, autograph=False)
            def run(inputs, prompt, seed):
                prompt = [tf.ensure_shape(part, [None, prompt_len]) for part in prompt]
                return self._run(options, inputs, prompt, seed, PythonHooks())

            self._compiled_generation[key] = run
        inputs = inputs._replace(decoder_input_ids=None, decoder_attention_mask=None)
        return self._compiled_generation[key](inputs, prompt, seed)

    def _run(self, options, inputs, prompt, seed, hooks):
        """Encodes once, then decodes: (Decoded, encoder output)."""
        check_vocabulary(options, self.config.vocab_size)
        encoded = self._encode_for_generation(options, inputs)
        prompt_ids, prompt_mask = prompt
        step = self._make_step(options, inputs, encoded.last_hidden_state)
        processors = build_processors(
            options,
            prompt_len=prompt_ids.shape[1],
            encoder_ids=inputs.input_ids,
            vocab_size=self.config.vocab_size,
            num_beams=options.num_beams,
            decoder_padding_mask=prompt_mask,
            prefix_allowed_tokens_fn=hooks.prefix_allowed_tokens_fn,
            custom=hooks.logits_processor,
        )
        decoded = decode(
            step,
            step.make_cache(options.width, options.max_length),
            options=options,
            prompt_ids=prompt_ids,
            prompt_mask=prompt_mask,
            processors=processors,
            stopping_criteria=hooks.stopping_criteria or (),
            streamer=hooks.streamer,
            tokenizer=hooks.tokenizer,
            seed=seed,
        )
        return decoded, encoded

    def _encode_for_generation(self, options, inputs):
        if inputs.encoder_outputs is not None:
            return inputs.encoder_outputs
        document = DocumentInputs(
            input_ids=inputs.input_ids,
            inputs_embeds=inputs.inputs_embeds,
            attention_mask=inputs.attention_mask,
            global_attention_mask=inputs.global_attention_mask,
            head_mask=inputs.head_mask,
        )
        return self.led.encoder.encode(
            document,
            output_attentions=_wanted(options, "output_attentions"),
            output_hidden_states=_wanted(options, "output_hidden_states"),
        )

    def _make_step(self, options, inputs, encoder_hidden):
        config = self.config
        sizes = (config.decoder_layers, config.decoder_attention_heads)
        step = DecodeStep if options.use_cache else UncachedStep
        return step(
            self.get_decoder(),
            self.score_tokens,
            tf.cast(encoder_hidden, self.compute_dtype),
            inputs.attention_mask,
            head_mask=validation.validate_head_mask(
                inputs.decoder_head_mask, "decoder_head_mask", *sizes
            ),
            cross_head_mask=validation.validate_head_mask(
                inputs.cross_attn_head_mask, "cross_attn_head_mask", *sizes
            ),
            keep_attentions=options.needs_from_step("attentions"),
            keep_hidden=options.needs_from_step("hidden_states"),
        )


def _seed_of(options, seed):
    if options.do_sample:
        return make_seed(seed)
    if seed is not None:
        raise ValueError(
            f"`seed` is {seed!r}, but nothing is sampled. Set `do_sample=True`, or "
            "leave it out."
        )
    return None


def _wanted(options, name):
    return bool(options.return_dict_in_generate and getattr(options, name))
