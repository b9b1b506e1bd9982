"""The options of `generate`: what each is when nobody sets it, and which we have."""

# Those that `tf_led` honours, under the names of transformers' GenerationConfig.
DEFAULTS = {
    # length
    "max_length": 20,
    "max_new_tokens": None,
    "min_length": 0,
    "min_new_tokens": None,
    "early_stopping": False,
    "max_time": None,
    "stop_strings": None,
    # how to search
    "do_sample": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "diversity_penalty": 0.0,
    "penalty_alpha": None,
    "length_penalty": 1.0,
    "num_return_sequences": 1,
    "use_cache": True,
    # the scores
    "temperature": 1.0,
    "top_h": None,
    "top_k": 50,
    "top_p": 1.0,
    "min_p": None,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": None,
    "sequence_bias": None,
    "renormalize_logits": None,
    "remove_invalid_values": False,
    "forced_bos_token_id": None,
    "forced_eos_token_id": None,
    "suppress_tokens": None,
    "begin_suppress_tokens": None,
    "exponential_decay_length_penalty": None,
    # what comes back
    "return_dict_in_generate": False,
    "output_attentions": None,
    "output_hidden_states": None,
    "output_scores": False,
    "output_logits": None,
    # special tokens
    "pad_token_id": None,
    "bos_token_id": None,
    "eos_token_id": None,
    "decoder_start_token_id": None,
}

# Options of transformers that we do not have, where a value other than None asks for
# nothing yet. Any other value of these, and of names absent from both tables, is
# refused.
NEUTRAL_VALUES = {
    # A cache of fixed size is the only kind there is here.
    "cache_implementation": ("static",),
    "guidance_scale": (1, 1.0),
    "num_assistant_tokens": (20,),
    "num_assistant_tokens_schedule": ("constant",),
    "assistant_confidence_threshold": (0.4,),
    "assistant_lookbehind": (10,),
    "target_lookbehind": (10,),
}

# A field of the configuration, but no option.
METADATA = ("transformers_version",)
