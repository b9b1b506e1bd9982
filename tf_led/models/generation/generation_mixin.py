"""`generate` for models with a language head."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, Unpack, overload

import tensorflow as tf
from transformers import GenerationConfig

from tf_led.generation.decode import decode, finalize
from tf_led.generation.options.build import build_processors
from tf_led.generation.options.resolve import merge_options
from tf_led.generation.outputs import (
    GenerateBeamEncoderDecoderOutput,
    GenerateEncoderDecoderOutput,
)
from tf_led.generation.prompt import prepare_prompt
from tf_led.generation.python_hooks import PythonHooks
from tf_led.generation.search.greedy_and_sampling import make_seed
from tf_led.models.generation.compiled_loops import CompiledLoops, buffer_length
from tf_led.models.generation.config_options import ConfigOptions
from tf_led.models.generation.drafts import check_assistant, make_drafts
from tf_led.models.generation.generation_inputs import (
    GenerateArguments,
    GenerationInputs,
    convert_inputs,
    take_inputs,
)
from tf_led.models.generation.model_call_step import own_keywords
from tf_led.models.generation.start import encode_document, make_step
from tf_led.utils.annotations import Inputs, TensorLike, Tokenizer

NO_HOOKS = PythonHooks()


class GenerationMixin(ConfigOptions):
    """Adds `generate` and `generation_config` to a model."""

    def add_generation(self) -> None:
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
        self._take_options_of_config()
        # Not by assignment: Keras would track the dict.
        self.__dict__["_compiled_generation"] = CompiledLoops()

    @overload
    def generate(
        self,
        inputs: Inputs | None = None,
        generation_config: GenerationConfig | None = None,
        logits_processor: Sequence[Callable[..., Any]] | None = None,
        stopping_criteria: Sequence[Callable[..., Any]] | None = None,
        prefix_allowed_tokens_fn: Callable[[int, Any], Sequence[int]] | None = None,
        streamer: Any = None,
        seed: TensorLike | None = None,
        tokenizer: Tokenizer | None = None,
        assistant_model: Any = None,
        *,
        return_dict_in_generate: Literal[True],
        **kwargs: Unpack[GenerateArguments],
    ) -> GenerateEncoderDecoderOutput | GenerateBeamEncoderDecoderOutput: ...

    @overload
    def generate(
        self,
        inputs: Inputs | None = None,
        generation_config: GenerationConfig | None = None,
        logits_processor: Sequence[Callable[..., Any]] | None = None,
        stopping_criteria: Sequence[Callable[..., Any]] | None = None,
        prefix_allowed_tokens_fn: Callable[[int, Any], Sequence[int]] | None = None,
        streamer: Any = None,
        seed: TensorLike | None = None,
        tokenizer: Tokenizer | None = None,
        assistant_model: Any = None,
        *,
        return_dict_in_generate: bool | None = None,
        **kwargs: Unpack[GenerateArguments],
    ) -> tf.Tensor: ...

    @tf.autograph.experimental.do_not_convert  # it has nothing to convert
    def generate(
        self,
        inputs: Inputs | None = None,
        generation_config: GenerationConfig | None = None,
        logits_processor: Sequence[Callable[..., Any]] | None = None,
        stopping_criteria: Sequence[Callable[..., Any]] | None = None,
        prefix_allowed_tokens_fn: Callable[[int, Any], Sequence[int]] | None = None,
        streamer: Any = None,
        seed: TensorLike | None = None,
        tokenizer: Tokenizer | None = None,
        assistant_model: Any = None,
        **kwargs: Any,
    ) -> Any:
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
            assistant_model: a smaller LED of the same vocabulary that writes drafts of
                `num_assistant_tokens` (5 if not set) tokens, which this model checks
                together: fewer steps, and the same tokens, but for ties.
            **kwargs: `attention_mask`, `global_attention_mask`, `inputs_embeds`,
                `encoder_outputs`, `decoder_input_ids`, `decoder_attention_mask`,
                `head_mask`, `decoder_head_mask`, `cross_attn_head_mask` as in a call of
                the model; arguments of a subclass's own `call`, which is then called
                at every token; and any option of GenerationConfig, which wins over
                the config's.

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
        self.check_config()
        hooks = PythonHooks(
            logits_processor,
            stopping_criteria,
            prefix_allowed_tokens_fn,
            streamer,
            tokenizer,
        )
        own = own_keywords(type(self)) & set(kwargs)
        keywords = {name: kwargs.pop(name) for name in own}
        inputs, overrides = take_inputs(inputs, kwargs)
        inputs = convert_inputs(inputs, self.config, self.compute_dtype)
        merged = merge_options(
            generation_config,
            self.generation_config,
            overrides,
            argument_names=GenerationInputs._fields,
            has_assistant=assistant_model is not None,
        )
        prompt = prepare_prompt(
            inputs.decoder_input_ids,
            inputs.decoder_attention_mask,
            batch_size=tf.shape(inputs.document())[0],
            start_token_id=merged.start_token_id,
        )
        options = merged.resolve(
            prompt_len=prompt[0].shape[1],
            position_limit=self.config.max_decoder_position_embeddings,
            vocab_size=self.config.vocab_size,
        )
        seed = _seed_of(options, seed)
        if not tf.executing_eagerly():
            hooks.check_graph(options)
        if tf.executing_eagerly() and hooks.can_compile(options):
            run = self._compiled_run
        else:
            run = functools.partial(self._run, hooks=hooks)
        if assistant_model is not None:
            check_assistant(assistant_model, self, inputs)
        decoded, encoded = run(options, inputs, prompt, seed, keywords, assistant_model)
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
        decoder_input_ids: TensorLike,
        past_key_values: Any = None,
        encoder_outputs: Any = None,
        attention_mask: TensorLike | None = None,
        decoder_attention_mask: TensorLike | None = None,
        use_cache: bool | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of the model's call for the next token of a loop of one's own.

        Args:
            decoder_input_ids: int[B, T], all tokens so far.
            past_key_values: of the previous call, or None at the first.
            encoder_outputs: of `get_encoder()`, so that the encoder runs once.
            attention_mask: int[B, S], 0 for padding of the document.
            decoder_attention_mask: int[B, T] or None.
            use_cache: bool or None.
            **kwargs: head masks; other names raise ValueError.

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

    def _compiled_run(self, options, inputs, prompt, seed, keywords, assistant):
        """Runs in a graph that is kept for the next call with such options."""
        prompt_len = prompt[0].shape[1]
        fixed, tensors = options.split_tensors(prompt_len, self._buffer_length(options))
        run = self._compiled_generation.get(
            (fixed, prompt_len, assistant),
            lambda: self._compile_run(fixed, prompt_len, assistant),
        )
        inputs = inputs._replace(decoder_input_ids=None, decoder_attention_mask=None)
        return run(inputs, prompt, seed, tensors, keywords)

    def _buffer_length(self, options):
        if options.collects_steps:
            return options.max_length
        reads_last = options.mode == "contrastive_search"
        limit = self.config.max_decoder_position_embeddings + (not reads_last)
        return buffer_length(options.max_length, limit)

    def _compile_run(self, fixed, prompt_len, assistant):
        @tf.function(reduce_retracing=True, autograph=False)
        def run(inputs, prompt, seed, tensors, keywords):
            prompt = [tf.ensure_shape(part, [None, prompt_len]) for part in prompt]
            options = fixed.with_tensors(**tensors)
            return self._run(options, inputs, prompt, seed, keywords, assistant)

        return run

    def _run(
        self, options, inputs, prompt, seed, keywords, assistant=None, hooks=NO_HOOKS
    ):
        """Encodes once, then decodes: (SearchResult, encoder output)."""
        encoded = encode_document(self, options, inputs)
        prompt_ids, prompt_mask = prompt
        step = make_step(self, options, inputs, encoded.last_hidden_state, keywords)
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
            step.make_cache(options.width, options.buffer_length, prompt_ids.shape[1]),
            options=options,
            prompt_ids=prompt_ids,
            prompt_mask=prompt_mask,
            processors=processors,
            drafts=make_drafts(options, inputs, step, assistant),
            stopping_criteria=hooks.stopping_criteria or (),
            streamer=hooks.streamer,
            tokenizer=hooks.tokenizer,
            seed=seed,
        )
        return decoded, encoded


def _seed_of(options, seed):
    if options.do_sample:
        return make_seed(seed)
    if seed is not None:
        raise ValueError(
            f"`seed` is {seed!r}, but nothing is sampled. Set `do_sample=True`, or "
            "leave it out."
        )
    return None
