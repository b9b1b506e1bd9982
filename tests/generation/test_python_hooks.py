"""What needs Python at every token: named inside a graph, never compiled."""

import pytest

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
