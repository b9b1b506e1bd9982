"""What the old library's tests of TF generation promise users."""

import numpy as np
import pytest
import tensorflow as tf

from tests.old_library.conftest import BATCH, VOCAB

pytestmark = pytest.mark.slow


def documents(inputs):
    return {k: v for k, v in inputs.items() if k != "decoder_input_ids"}


def ids(found):
    return np.asarray(found)


@pytest.mark.parametrize(
    ("options", "rows"),
    [
        ({}, 1),
        ({"do_sample": True}, 1),
        ({"do_sample": True, "num_return_sequences": 2}, 2),
        ({"num_beams": 3}, 1),
        ({"num_beams": 3, "num_return_sequences": 2}, 2),
        ({"num_beams": 3, "do_sample": True, "num_return_sequences": 3}, 3),
    ],
)
def test_every_search_gives_as_many_rows_as_requested(generator, inputs, options, rows):
    found = ids(generator.generate(**documents(inputs), max_new_tokens=4, **options))
    assert len(found) == BATCH * rows and found.shape[1] <= 5
    assert (found[::rows, 0] == 2).all()  # further rows: see the next test
    assert (found >= 0).all() and (found < VOCAB).all()


@pytest.mark.old_differs("gives rows of padding for beams that have not ended")
def test_beams_that_have_not_ended_fill_the_rows(library, inputs):
    model = library.Generator(library.config())
    model(inputs)
    towards_the_end = np.eye(VOCAB, dtype="float32")[[2]] * 1e3
    model.set_bias({"final_logits_bias": towards_the_end})
    beams = {"num_beams": 2, "num_return_sequences": 2}
    found = ids(model.generate(**documents(inputs), max_new_tokens=1, **beams))
    assert (found[:, 0] == 2).all()


def test_more_sequences_than_beams_are_rejected(generator, inputs):
    with pytest.raises(ValueError):
        generator.generate(**documents(inputs), num_beams=2, num_return_sequences=3)


def test_several_greedy_sequences_are_rejected(generator, inputs):
    with pytest.raises(ValueError):
        generator.generate(**documents(inputs), num_return_sequences=2)


@pytest.mark.parametrize("options", [{}, {"num_beams": 2}])
def test_bad_words_are_never_written(generator, inputs, options):
    plain = ids(generator.generate(**documents(inputs), max_new_tokens=5, **options))
    banned = sorted({int(one) for one in plain[:, 1:].ravel()} - {1, 2})
    words = [[one] for one in banned]
    found = generator.generate(
        **documents(inputs), max_new_tokens=5, bad_words_ids=words, **options
    )
    assert not set(banned) & set(ids(found).ravel().tolist())


@pytest.mark.parametrize(
    "options", [{}, {"do_sample": True}, {"num_beams": 2}, {"num_beams": 2, "n": 1}]
)
def test_a_struct_holds_the_scores_of_every_step(generator, inputs, options):
    options = {**options, "do_sample": True} if options.pop("n", 0) else options
    found = generator.generate(
        **documents(inputs),
        max_new_tokens=3,
        output_scores=True,
        output_attentions=True,
        output_hidden_states=True,
        return_dict_in_generate=True,
        **options,
    )
    rows = BATCH * options.get("num_beams", 1)
    assert all(tuple(step.shape) == (rows, VOCAB) for step in found.scores)
    assert len(found.encoder_hidden_states) == 2
    assert len(found.decoder_attentions) == len(found.scores)
    if "num_beams" in options:
        assert found.sequences_scores.shape == (BATCH,)


def test_ends_as_a_number_and_as_a_list(generator, inputs):
    plain = ids(generator.generate(**documents(inputs), max_new_tokens=6))
    end = int(plain[0, 2])
    one = ids(
        generator.generate(**documents(inputs), max_new_tokens=6, eos_token_id=end)
    )
    many = generator.generate(
        **documents(inputs), max_new_tokens=6, eos_token_id=[end, VOCAB - 1]
    )
    assert one[0, 3:].tolist() == [1] * (one.shape[1] - 3)
    assert (ids(many)[0, 3:] == 1).all()


def test_a_name_that_is_no_option_is_rejected(generator, inputs):
    with pytest.raises(ValueError, match="foo"):
        generator.generate(**documents(inputs), foo="bar")


def test_new_tokens_count_without_the_start(generator, inputs):
    found = generator.generate(
        **documents(inputs), min_new_tokens=3, max_new_tokens=3, eos_token_id=VOCAB - 1
    )
    assert ids(found).shape[1] == 4


def test_a_model_whose_start_is_given_to_the_call(generator, inputs):
    found = generator.generate(
        **documents(inputs), max_new_tokens=2, decoder_start_token_id=7
    )
    assert (ids(found)[:, 0] == 7).all()


def test_encoder_outputs_spare_the_encoder(generator, inputs):
    given = documents(inputs)
    encoded = generator.get_encoder()(**given, return_dict=True)
    again = generator.generate(
        encoder_outputs=encoded,
        attention_mask=given["attention_mask"],
        max_new_tokens=4,
    )
    np.testing.assert_array_equal(
        ids(again), ids(generator.generate(**given, max_new_tokens=4))
    )


def test_an_encoder_that_takes_more_arguments(library, inputs):
    class Shouting(library.Generator):
        def call(self, input_ids, attention_mask=None, loud=None, **kwargs):
            return super().call(input_ids, attention_mask=attention_mask, **kwargs)

    model = Shouting(library.config())
    given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    plain = ids(model.generate(**given, max_new_tokens=2))
    loud = ids(model.generate(**given, loud=True, max_new_tokens=2))
    assert len(plain) == BATCH
    np.testing.assert_array_equal(loud, plain)


def test_transition_scores_add_up_to_those_of_the_beams(generator, inputs):
    found = generator.generate(
        **documents(inputs),
        num_beams=3,
        max_new_tokens=4,
        length_penalty=0.0,
        output_scores=True,
        return_dict_in_generate=True,
    )
    steps = generator.compute_transition_scores(
        found.sequences, found.scores, found.beam_indices
    )
    np.testing.assert_allclose(
        np.sum(np.asarray(steps), 1), np.asarray(found.sequences_scores), atol=1e-3
    )


@pytest.mark.old_differs("cannot generate inside a graph with a global token")
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_graph_writes_the_same(generator, inputs, jit_compile):
    given = documents(inputs)
    run = tf.function(
        lambda batch: generator.generate(**batch, max_new_tokens=4),
        jit_compile=jit_compile,
    )
    expected = ids(generator.generate(**given, max_new_tokens=4))
    found = ids(run(given))[:, : expected.shape[1]]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.old_differs("cannot export generation with a global token")
def test_an_exported_function_writes_the_same(generator, inputs, tmp_path):
    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = generator

        @tf.function(
            input_signature=[
                tf.TensorSpec([None, 11], tf.int32, name=name)
                for name in documents(inputs)
            ]
        )
        def serve(self, input_ids, attention_mask, global_attention_mask):
            return self.model.generate(
                input_ids=input_ids,
                attention_mask=attention_mask,
                global_attention_mask=global_attention_mask,
                max_new_tokens=4,
            )

    module = Served()
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))  # holds the variables
    found = ids(loaded.serve(**documents(inputs)))
    expected = ids(generator.generate(**documents(inputs), max_new_tokens=4))
    np.testing.assert_array_equal(found[:, : expected.shape[1]], expected)


def test_a_processor_of_the_users_own_is_called(generator, inputs):
    def never_three(input_ids, scores, *cur_len):
        banned = tf.one_hot([3], scores.shape[-1], on_value=-1e9, off_value=0.0)
        return scores + banned

    found = generator.generate(
        **documents(inputs), max_new_tokens=4, logits_processor=[never_three]
    )
    assert not (ids(found)[:, 1:] == 3).any()
