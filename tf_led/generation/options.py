"""The resolved options of one call of `generate`."""

import tensorflow as tf

from tf_led.generation.option_names import DEFAULTS


class GenerationOptions:
    """Every option of a call, under transformers' names, and what follows from them.

    Immutable and hashable, so that a compiled decoding loop can be kept per options.
    `resolve_options` makes it from what a user gave; made by hand it holds
    transformers' defaults and takes what it is given without a check.

    Args:
        **values: options by name, as in `option_names.DEFAULTS`. `max_length` counts
            the decoder prompt.

    Raises:
        TypeError: on a name that is not an option.

    Example:
        >>> from tf_led.generation.options import GenerationOptions
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

    def with_inputs(self, **tensors):
        """Takes tensors in place of options: what each request of a graph may set.

        Args:
            **tensors: scalars, `max_new_tokens` int32[] (from 1 to the number that the
                options allow anyway, for which the tensors' shapes are made),
                `length_penalty` float32[], `temperature` float32[].

        Returns:
            New GenerationOptions; they cannot be a key.

        Example:
            >>> import tensorflow as tf
            >>> from tf_led.generation.options import GenerationOptions
            >>> options = GenerationOptions(max_length=9)
            >>> shorter = options.with_inputs(max_new_tokens=tf.constant(4))
            >>> int(shorter.length_limit(prompt_len=1, length=9))
            5
        """
        return GenerationOptions(**{**self._values, **tensors})

    def length_limit(self, prompt_len, length):
        """The greatest length, prompt included.

        Args:
            prompt_len: int.
            length: int, the length that tensors are made for.

        Returns:
            `length`; int32[] where `max_new_tokens` is an input.
        """
        if tf.is_tensor(self.max_new_tokens):
            return prompt_len + self.max_new_tokens
        return length

    def asks_for(self, output):
        """Tells whether the returned struct has "scores", "attentions" and so on."""
        return bool(self.return_dict_in_generate and getattr(self, f"output_{output}"))

    def needs_from_step(self, output):
        """Tells whether the step must return its "attentions" or "hidden_states"."""
        is_for_search = self.mode == "contrastive_search" and output == "hidden_states"
        return is_for_search or self.asks_for(output)


def freeze(value):
    """Returns a hashable stand-in for nested dicts and lists."""
    if isinstance(value, dict):
        return tuple((freeze(key), freeze(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(freeze(item) for item in value)
    return value


def _rebuild(values):
    return GenerationOptions(**values)
