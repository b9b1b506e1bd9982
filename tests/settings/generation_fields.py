"""Options of generation: each changes what `generate` gives, or raises."""

from functools import cache
from unittest import mock

import numpy as np
import tensorflow as tf
from transformers import GenerationConfig

import tf_led
from tests.models.conftest import SMALL, make_model
from tests.settings.rows import Harmless, Obeyed, Rejected
from tf_led.generation.options.option_table import OPTIONS
from tf_led.generation.options.resolve import resolve_options
from tf_led.models.generation import drafts, start

IDS = np.array([[0, 5, 11, 7, 17, 23, 2], [0, 7, 13, 4, 9, 8, 2]])
# Half of the vocabulary ends a text, so that some do.
MANY_ENDS = {"eos_token_id": list(range(4, 29, 2)), "max_new_tokens": 8}
BEAMS = {"num_beams": 3, **MANY_ENDS}
SAMPLED = {"do_sample": True, "seed": 7}
# No end token comes before the length is full.
WHOLE = {"eos_token_id": 28, "suppress_tokens": [28], "max_new_tokens": 4}


def names(old):
    """Every option of both versions of transformers."""
    new = GenerationConfig().to_dict()
    return {name for name in {*old["generation"], *new} if not name.startswith("_")}


@cache
def plain():
    return make_model(**SMALL)


def run(model=None, **options):
    """All that one eager call gives, as arrays by name."""
    given = {
        "return_dict_in_generate": True,
        "output_scores": True,
        "max_time": 1000.0,  # needs Python at every token: nothing is compiled
        **options,
    }
    result = (model or plain()).generate(IDS, **given)
    if tf.is_tensor(result):
        return {"ids": result.numpy()}
    return {
        name: [part.numpy() for part in tf.nest.flatten(value)]
        for name, value in result.items()
        if value is not None
    }


_RUNS = {}  # those that several options are compared with


def same(left, right):
    if left.keys() != right.keys():
        return False
    return all(_same_arrays(left[name], right[name]) for name in left)


def _same_arrays(left, right):
    return len(left) == len(right) and all(
        a.shape == b.shape and np.array_equal(a, b)
        for a, b in zip(left, right, strict=True)
    )


def changes(value, *, beside=WHOLE, without=None, only=None):
    """The result differs from that without the option, or with it `without`.

    `beside` are options of both calls, `only` of the one with the value.
    """

    def shows(name):
        other = {} if without is None else {name: without}
        before = {**beside, **other}
        if repr(before) not in _RUNS:
            _RUNS[repr(before)] = run(**before)
        changed = run(**{**beside, **(only or {}), name: value})
        return not same(_RUNS[repr(before)], changed)

    return Obeyed(shows)


def samples_otherwise(value):
    return changes(value, beside={**SAMPLED, **WHOLE})


def looks_up(name):
    """The document is searched for as much as was requested."""
    options = {"prompt_lookup_num_tokens": 3, "max_matching_ngram_size": 5}
    made = mock.Mock(wraps=drafts.PromptLookup)
    with mock.patch.object(drafts, "PromptLookup", made):
        plain().generate(IDS, max_time=1000.0, **WHOLE, **options)
    (count,), keywords = made.call_args
    found = {"prompt_lookup_num_tokens": count}
    found["max_matching_ngram_size"] = keywords["max_ngram_size"]
    return found[name] == options[name]


def writes_drafts(name):
    made = mock.Mock(wraps=drafts.AssistantDrafts)
    with mock.patch.object(drafts, "AssistantDrafts", made):
        options = {**WHOLE, "assistant_model": plain(), name: 3}
        plain().generate(IDS, max_time=1000.0, **options)
    return made.call_args.args[0] == 3


def reads_all_again(name):
    made = mock.Mock(wraps=start.UncachedStep)
    with mock.patch.object(start, "UncachedStep", made):
        plain().generate(IDS, max_time=1000.0, **WHOLE, **{name: False})
    return made.called


def starts_from_it(name):
    options = GenerationConfig(max_new_tokens=2, **{name: 9})
    return resolve_options(options).decoder_start_token_id == 9


def takes_invalid_values_away(name):
    model = make_model(**SMALL)
    model.set_bias({"final_logits_bias": np.full([1, 29], np.nan, "float32")})
    kept, removed = (run(model, **WHOLE, **{name: flag}) for flag in (False, True))
    return np.isnan(kept["scores"]).any() and not np.isnan(removed["scores"]).any()


def stops_at(name):
    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 4}
    vocab |= {chr(92 + number): number for number in range(5, 29)}
    tokenizer = tf_led.LEDTokenizerFast(vocab, [])
    whole = run(**WHOLE)["sequences"][0][:1]
    letter = tokenizer.decode(whole[0, 2:3])
    found = run(**WHOLE, tokenizer=tokenizer, **{name: [letter]})["sequences"][0]
    return (found[0, 3:] == 1).all() and (whole[0, 3:] != 1).all()


FIRST = 7  # a token to force or to forbid
ROWS = {
    "max_length": changes(3, beside={"eos_token_id": 28}, without=6),
    "max_new_tokens": changes(3, beside={"eos_token_id": 28}, without=6),
    "min_length": changes(7, beside=MANY_ENDS),
    "min_new_tokens": changes(7, beside=MANY_ENDS),
    "early_stopping": changes(True, beside=BEAMS, without="never"),
    "max_time": changes(1e-9),
    "stop_strings": Obeyed(stops_at),
    "do_sample": changes(True, only={"seed": 7}),
    "num_beams": changes(3),
    "num_beam_groups": changes(
        2, beside={"num_beams": 4, **WHOLE}, only={"diversity_penalty": 0.5}
    ),
    "penalty_alpha": changes(0.6, beside={"top_k": 4, **WHOLE}),
    "length_penalty": changes(3.0, beside=BEAMS),
    "num_return_sequences": changes(2, beside=BEAMS),
    "prompt_lookup_num_tokens": Obeyed(looks_up),
    "max_matching_ngram_size": Obeyed(looks_up),
    "num_assistant_tokens": Obeyed(writes_drafts),
    "use_cache": Obeyed(reads_all_again),
    "sequence_bias": changes({(FIRST,): 99.0}),
    "diversity_penalty": changes(
        99.0, beside={"num_beams": 4, "num_beam_groups": 2, **WHOLE}, without=0.1
    ),
    "encoder_repetition_penalty": changes(9.0),
    "repetition_penalty": changes(9.0),
    "no_repeat_ngram_size": changes(1),
    "encoder_no_repeat_ngram_size": changes(1),
    "bad_words_ids": changes([[FIRST]]),
    "forced_bos_token_id": changes(FIRST),
    "forced_eos_token_id": changes(FIRST),
    "remove_invalid_values": Obeyed(takes_invalid_values_away),
    "exponential_decay_length_penalty": changes(
        (1, 99.0), beside={"eos_token_id": 28, "max_new_tokens": 4}
    ),
    "suppress_tokens": changes(
        [FIRST], beside={"eos_token_id": 28, "max_new_tokens": 4}
    ),
    "begin_suppress_tokens": changes([FIRST]),
    "temperature": samples_otherwise(0.5),
    "top_h": samples_otherwise(0.3),
    "top_k": samples_otherwise(2),
    "top_p": samples_otherwise(0.3),
    "min_p": samples_otherwise(0.5),
    "typical_p": samples_otherwise(0.3),
    "epsilon_cutoff": samples_otherwise(0.05),
    "eta_cutoff": samples_otherwise(0.1),
    "renormalize_logits": changes(True),
    "return_dict_in_generate": changes(False),
    "output_attentions": changes(True),
    "output_hidden_states": changes(True),
    "output_scores": changes(False, without=True),
    "output_logits": changes(True),
    "pad_token_id": changes(FIRST, beside={**BEAMS, "num_return_sequences": 3}),
    "bos_token_id": Obeyed(starts_from_it),
    "eos_token_id": changes(
        MANY_ENDS["eos_token_id"], beside={"max_new_tokens": 8}, without=28
    ),
    "decoder_start_token_id": changes(FIRST),
    "transformers_version": Harmless(),
}


def rejected(name):
    """An option that this package does not have."""
    plain().generate(IDS, max_new_tokens=2, **{name: 7})


def rows(old):
    """A row for every name: those that are not options of ours have to raise."""
    return {
        name: ROWS.get(name) or (None if name in OPTIONS else Rejected(rejected))
        for name in names(old)
    }
