"""Named results that TensorFlow and Keras both take apart and put together again."""

import collections
from typing import TYPE_CHECKING, Any

import optree


class OutputStruct(collections.OrderedDict):
    """A result with named fields, read by attribute, by key or by position.

    Subclasses list their fields as annotations. A field that is None is absent: `len`,
    iteration and integer positions see only what is there, as in transformers. A field
    that is set, by attribute or by key, changes for all three. It is an
    `OrderedDict` because `tf.nest` then walks it, and is registered with optree because
    `keras.tree` would otherwise take it for one leaf: `tf.function`, functional models,
    `fit` and `predict` all accept it.

    Args:
        pairs: mapping or iterable of (field name, value); `tf.nest` rebuilds with this.
        **fields: the same, by name.

    Raises:
        TypeError: on a name that is not a field.

    Example:
        >>> from tf_led.utils.output_struct import OutputStruct
        >>> class Point(OutputStruct):
        ...     x: int
        ...     y: int
        >>> point = Point(x=3, y=5)
        >>> point.x, point["y"], point[1], point.to_tuple()
        (3, 5, 5, (3, 5))
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls._fields = tuple(
            name
            for base in reversed(cls.__mro__)
            for name in base.__dict__.get("__annotations__", {})
        )
        optree.register_pytree_node(cls, _flatten, cls._rebuild, namespace="keras")

    @classmethod
    def _rebuild(cls, keys, values):
        return cls(zip(keys, values, strict=True))

    def __init__(self, pairs: Any = (), /, **fields: Any) -> None:
        super().__init__()
        given = dict(pairs, **fields)
        unknown = sorted(set(given) - set(self._fields))
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no field {', '.join(map(repr, unknown))}; "
                f"its fields are {', '.join(self._fields)}."
            )
        for name in self._fields:
            if given.get(name) is not None:
                super().__setitem__(name, given[name])

    def __setitem__(self, name, value):
        """Sets a field for all three ways of reading it; None takes it away."""
        if name not in self._fields:
            raise TypeError(
                f"{type(self).__name__} has no field {name!r}; its fields are "
                f"{', '.join(self._fields)}."
            )
        if value is None:
            self.pop(name, None)
            return
        super().__setitem__(name, value)
        for later in self._fields[self._fields.index(name) + 1 :]:
            if later in self:  # positions follow the order of the fields
                self.move_to_end(later)

    def __setattr__(self, name, value):
        if name in type(self)._fields:
            self[name] = value
        else:
            super().__setattr__(name, value)

    if not TYPE_CHECKING:  # what is no field is to be flagged

        def __getattr__(self, name):
            if name in type(self)._fields:
                return self.get(name)
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            )

    def __getitem__(self, key: str | int | slice) -> Any:
        return (
            super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]
        )

    def __reduce__(self):
        return type(self), (list(self.items()),)

    @classmethod
    def fields(cls) -> tuple[str, ...]:
        """Lists the names of all fields, absent ones too.

        Returns:
            Tuple of str, in order.

        Example:
            >>> from tf_led import TFLEDEncoderBaseModelOutput
            >>> TFLEDEncoderBaseModelOutput.fields()[:2]
            ('last_hidden_state', 'hidden_states')
        """
        return cls._fields

    def to_tuple(self) -> tuple[Any, ...]:
        """Gives the values that are there.

        Returns:
            Tuple, in the order of the fields.

        Example:
            >>> from tf_led import TFLEDEncoderBaseModelOutput
            >>> output = TFLEDEncoderBaseModelOutput(last_hidden_state=5)
            >>> output.to_tuple()
            (5,)
        """
        return tuple(self.values())


def _flatten(struct):
    keys = tuple(struct.keys())
    return tuple(struct.values()), keys, keys
