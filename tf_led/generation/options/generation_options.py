"""The resolved options of one call of `generate`."""

import tensorflow as tf

from tf_led.generation.options.option_table import DEFAULTS, OPTIONS

# Stands in a key of compiled loops for a number that the loop takes as a tensor.
AS_TENSOR = "tensor"


class GenerationOptions:
    """Every option of a call, under transformers' names, and what follows from them.

    Immutable and hashable, so that a compiled decoding loop can be kept per options.
    `resolve_options` makes it from what a user gave; made by hand it holds
    transformers' defaults and takes what it is given without a check.

    Args:
        **values: options by name, as in `option_table.DEFAULTS`. `max_length` counts
            the decoder prompt.

    Raises:
        TypeError: on a name that is not an option.

    Example:
        >>> from tf_led.generation.options.generation_options import GenerationOptions
        >>> options = GenerationOptions(num_beams=4, eos_token_id=[2, 7])
        >>> options.mode, options.width, options.eos_token_ids, options.top_k
        ('beam_search', 4, (2, 7), 50)
    """

    def __init__(self, **values):
        unknown = sorted(set(values) - set(DEFAULTS))
        if unknown:
            raise TypeError(f"GenerationOptions has no option {', '.join(unknown)}.")
        merged = {**DEFAULTS, **values}
        object.__setattr__(self, "_values", merged)
        object.__setattr__(self, "_key", freeze(merged))

    def __getattr__(self, name):
        if name in DEFAULTS:
            return self._values[name]
        raise AttributeError(f"GenerationOptions has no option {name!r}.")

    def __setattr__(self, name, value):
        raise AttributeError(f"GenerationOptions cannot be changed: {name}={value!r}.")

    def __eq__(self, other):
        return isinstance(other, GenerationOptions) and self._key == other._key

    def __hash__(self):
        return hash(self._key)

    def __reduce__(self):
        return _rebuild, (self._values,)

    def __repr__(self):
        changed = (
            f"{name}={value!r}"
            for name, value in self._values.items()
            if tf.is_tensor(value) or value != DEFAULTS[name]
        )
        return f"GenerationOptions({', '.join(changed)})"

    @property
    def mode(self):
        """The name of the search: "greedy", "beam_search", "sample" and so on."""
        if self.num_beams > 1:
            if self.num_beam_groups > 1:
                return "group_beam_search"
            return "beam_sample" if self.do_sample else "beam_search"
        if self.do_sample:
            return "sample"
        is_contrastive = (self.penalty_alpha or 0) > 0 and (self.top_k or 0) > 1
        return "contrastive_search" if is_contrastive else "greedy"

    @property
    def width(self):
        """Number of hypotheses that are decoded at once for one document."""
        if self.mode == "contrastive_search":
            return self.top_k
        return max(self.num_beams, self.num_return_sequences)

    @property
    def eos_token_ids(self):
        """The end-of-sequence ids as a tuple, empty where there is none."""
        if self.eos_token_id is None:
            return ()
        ids = self.eos_token_id
        return tuple(ids) if isinstance(ids, (list, tuple)) else (ids,)

    @property
    def padding_id(self):
        """What pads: the padding id, else the first end id, else 0."""
        if self.pad_token_id is None:
            return (self.eos_token_ids or (0,))[0]
        return self.pad_token_id

    def with_tensors(self, **tensors):
        """Takes scalar tensors in place of numbers.

        Args:
            **tensors: scalars of the options that have a `tensor` dtype in the option
                table. `max_new_tokens` int32[] is from 1 to the number that
                `max_length`, for which the buffers are made, leaves after the prompt.

        Returns:
            New GenerationOptions; they cannot be a key.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.generation.options import generation_options
            >>> options = generation_options.GenerationOptions(max_length=9)
            >>> shorter = options.with_tensors(max_new_tokens=tf.constant(4))
            >>> int(shorter.length_limit(prompt_len=1))
            5
        """
        return GenerationOptions(**{**self._values, **tensors})

    def split_tensors(self, prompt_len, length):
        """Splits the options into what shapes a graph and the numbers that do not.

        Args:
            prompt_len: int, P.
            length: int, the length T to make buffers for; at least `max_length`.

        Returns:
            Pair of the GenerationOptions that shape the graph, which are a key, and a
            dict of scalar tensors for `with_tensors`.
        """
        values = {**self._values, "max_new_tokens": self.max_length - prompt_len}
        tensors = {
            name: tf.cast(values[name], row.tensor)
            for name, row in OPTIONS.items()
            if row.tensor is not None and not row.is_off(values[name])
        }
        values |= dict.fromkeys(tensors, AS_TENSOR)
        # The decoder prompt has been made of these already.
        values |= {"bos_token_id": None, "decoder_start_token_id": None}
        values["max_length"] = length
        return GenerationOptions(**values), tensors

    @property
    def draft_options(self):
        """Names of the options that request drafts: list of str; two are an error."""
        names = ("prompt_lookup_num_tokens", "num_assistant_tokens")
        return [name for name in names if getattr(self, name) is not None]

    @property
    def buffer_length(self):
        """The length T of the buffers: int; the last step's drafts fit in as well."""
        return self.max_length + sum(getattr(self, n) for n in self.draft_options)

    def length_limit(self, prompt_len):
        """The greatest length, prompt included.

        Args:
            prompt_len: int.

        Returns:
            `max_length`; int32[] where `max_new_tokens` is a tensor.
        """
        if tf.is_tensor(self.max_new_tokens):
            return prompt_len + self.max_new_tokens
        return self.max_length

    def is_requested(self, output):
        """Tells whether the result shall have "scores", "attentions" and so on."""
        return bool(self.return_dict_in_generate and getattr(self, f"output_{output}"))

    @property
    def collects_steps(self):
        """Whether the result shall have anything of every step."""
        outputs = ("scores", "logits", "attentions", "hidden_states")
        return any(self.is_requested(output) for output in outputs)

    def needs_from_step(self, output):
        """Tells whether the step must return its "attentions" or "hidden_states"."""
        is_for_search = self.mode == "contrastive_search" and output == "hidden_states"
        return is_for_search or self.is_requested(output)


def freeze(value):
    """Returns a hashable stand-in for nested dicts and lists."""
    if isinstance(value, dict):
        return tuple((freeze(key), freeze(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value


def _rebuild(values):
    return GenerationOptions(**values)
