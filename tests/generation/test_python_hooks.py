"""What needs Python at every token: named inside a graph, never compiled."""

import numpy as np
import pytest

from tests.generation.toy_step import ToyStep, generate
from tf_led.generation import processors
from tf_led.generation.options.generation_options import GenerationOptions
from tf_led.generation.python_hooks import PythonHooks


def by_python(*arguments):
    return arguments[-1]


@pytest.mark.parametrize(
    ("hooks", "options", "name"),
    [
        ({}, {"max_time": 0.0}, "max_time"),
        ({}, {"stop_strings": "end"}, "stop_strings"),
        ({"stopping_criteria": [by_python]}, {}, "stopping_criteria"),
        ({"streamer": by_python}, {}, "streamer"),
        ({"prefix_allowed_tokens_fn": by_python}, {}, "prefix_allowed_tokens_fn"),
        ({"logits_processor": [by_python]}, {}, "logits_processor"),
        (
            {"logits_processor": [processors.CustomProcessor(by_python)]},
            {},
            "logits_processor",
        ),
    ],
)
def test_what_needs_python_is_named(hooks, options, name):
    hooks, options = PythonHooks(**hooks), GenerationOptions(**options)
    assert hooks.names(options) == [name] and not hooks.can_compile(options)
    with pytest.raises(ValueError, match=f"`{name}` needs Python at every token"):
        hooks.check_graph(options)


def test_a_processor_of_ours_runs_in_graphs_but_belongs_to_one_call():
    hooks = PythonHooks(logits_processor=[processors.MinP(0.1)], stopping_criteria=[])
    hooks.check_graph(GenerationOptions())
    assert not hooks.can_compile(GenerationOptions())
    assert PythonHooks().can_compile(GenerationOptions())


class Listener:
    def __init__(self):
        self.heard = []

    def put(self, value):
        self.heard.append(value.tolist())

    def end(self):
        self.heard.append("end")


def stream(listener, criteria=(), **options):
    options = GenerationOptions(
        max_length=9, eos_token_id=[2, 3], pad_token_id=1, **options
    )
    step = ToyStep(9, eos_bias=2.0)
    return generate(
        step,
        step.new_cache([3, 5], options.width),
        options=options,
        prompt_ids=[[4, 7], [4, 8]],
        streamer=listener,
        stopping_criteria=criteria,
        seed=3,
    ).sequences.numpy()


@pytest.mark.parametrize(
    "options", [{}, {"do_sample": True}, {"do_sample": True, "num_return_sequences": 3}]
)
def test_a_streamer_hears_what_is_returned(options):
    listener = Listener()
    sequences = stream(listener, **options)
    prompt, *tokens, end = listener.heard
    assert np.array_equal(prompt, sequences[:, :2])
    assert np.array_equal(np.transpose(tokens), sequences[:, 2:])
    assert end == "end" and len(tokens) > 1


def test_a_streamer_hears_the_end_after_an_error_too():
    def fail(input_ids, scores):
        raise RuntimeError("out of luck")

    listener = Listener()
    with pytest.raises(RuntimeError, match="out of luck"):
        stream(listener, criteria=[fail])
    assert listener.heard == [[[4, 7], [4, 8]], "end"]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"num_beams": 3}, "beam search"),
        ({"num_beams": 3, "do_sample": True}, "beam sample"),
        ({"num_beams": 4, "num_beam_groups": 2}, "group beam search"),
        ({"penalty_alpha": 0.6, "top_k": 4}, "contrastive search"),
    ],
)
def test_what_is_revised_later_cannot_be_streamed(options, name):
    listener = Listener()
    with pytest.raises(ValueError, match=f"`streamer` works with.*got {name}"):
        stream(listener, **options)
    assert listener.heard == []


def test_transformers_streamers_print_the_text(capsys):
    from transformers import TextStreamer

    class Letters:
        def decode(self, ids):
            return " ".join(map(str, ids)) + " "

    class OneDocument(TextStreamer):
        def put(self, value):
            super().put(value[:1])

    sequences = stream(OneDocument(Letters()))
    assert capsys.readouterr().out.split() == [str(token) for token in sequences[0]]


def test_a_streamer_must_put_and_end():
    with pytest.raises(TypeError, match="`streamer` must have .*got 'stream'"):
        stream("stream")
