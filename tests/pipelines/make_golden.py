"""What transformers 4.57's pipelines answer, for the tests.

With this project's environment, then with one that has transformers 4.57 and torch:

    python -m tests.pipelines.make_golden write FOLDER
    python tests/pipelines/make_golden.py ask FOLDER > tests/pipelines/golden.json

`write` saves checkpoints of large random weights; the tests build the same.
"""

import json
import sys
import warnings
from pathlib import Path

SIZES = {
    "vocab_size": 562,
    "max_encoder_position_embeddings": 64,
    "max_decoder_position_embeddings": 64,
    "encoder_layers": 1,
    "decoder_layers": 1,
}
LABELS = {0: "good", 1: "bad", 2: "odd"}
TEXTS = [
    "the parser adds an argument to the text",
    "A file, a name.",
    "and the end of it",
]
CONTEXT = (
    "The name of the file is given by the user. When the parser reads a text it adds "
    "an argument for it; the others are left to the end."
)
QUESTIONS = ["What is the name?", "Who reads?"]
SHORT = {"max_new_tokens": 7}
FITS = {"max_seq_len": 61}  # transformers' own 384 are more than these models take

# Task, arguments of the pipeline's call, options.
CASES = [
    ("summarization", [TEXTS[0]], SHORT),
    ("summarization", [TEXTS], SHORT),
    ("summarization", [TEXTS], {"batch_size": 2, "num_beams": 1, **SHORT}),
    ("summarization", [TEXTS[:2]], {"num_return_sequences": 2, **SHORT}),
    ("summarization", [TEXTS[0]], {"num_return_sequences": 2, **SHORT}),
    ("summarization", [TEXTS[0]], {"return_tensors": True, **SHORT}),
    ("summarization", [TEXTS[1]], {"clean_up_tokenization_spaces": True, **SHORT}),
    ("text2text-generation", [TEXTS[:1]], SHORT),
    ("text2text-generation", [TEXTS[2]], {"do_sample": False, **SHORT}),
    ("translation_en_to_de", [TEXTS[:2]], SHORT),
    ("text-classification", [TEXTS[0]], {}),
    ("text-classification", [TEXTS], {}),
    ("text-classification", [TEXTS], {"top_k": None}),
    ("text-classification", [TEXTS[0]], {"top_k": 1}),
    ("text-classification", [TEXTS[0]], {"top_k": 2, "function_to_apply": "sigmoid"}),
    ("text-classification", [TEXTS[1]], {"function_to_apply": "none"}),
    ("text-classification", [{"text": TEXTS[0], "text_pair": TEXTS[1]}], {}),
    ("question-answering", [], {"question": QUESTIONS[0], "context": CONTEXT, **FITS}),
    ("question-answering", [], {"question": QUESTIONS, "context": CONTEXT, **FITS}),
    (
        "question-answering",
        [],
        {"question": QUESTIONS[0], "context": CONTEXT, "top_k": 3, **FITS},
    ),
    (
        "question-answering",
        [],
        {
            "question": QUESTIONS[1],
            "context": CONTEXT,
            "top_k": 2,
            "max_seq_len": 31,
            "doc_stride": 7,
            "max_answer_len": 4,
        },
    ),
    (
        "question-answering",
        [{"question": QUESTIONS[0], "context": CONTEXT}],
        {
            "align_to_words": False,
            "handle_impossible_answer": True,
            "top_k": 5,
            **FITS,
        },
    ),
]
HEADS = {
    "text-classification": "LEDForSequenceClassification",
    "question-answering": "LEDForQuestionAnswering",
}


def head_of(task):
    """The class of PyTorch for a task; ours has TF before its name."""
    return HEADS.get(task, "LEDForConditionalGeneration")


def make_model(head):
    """A model of ours with large random weights."""
    import tf_led
    from tf_led.testing import fill_spread, tiny_config

    config = tiny_config(**SIZES, id2label=LABELS, pooling=None)
    model = getattr(tf_led, f"TF{head}")(config)
    fill_spread(model)
    if head == "LEDForConditionalGeneration":
        model.generation_config.no_repeat_ngram_size = 2
    return model


def write(folder):
    """Saves a checkpoint of each class."""
    from tests.tokenization.conftest import FILES
    from tf_led import LEDTokenizerFast

    for head in {head_of(task) for task, *_ in CASES}:
        make_model(head).save_pretrained(folder / head)
        LEDTokenizerFast(*FILES).save_pretrained(folder / head)


def ask(folder):
    """Prints what transformers' pipelines answer, a line for each case."""
    import transformers

    transformers.logging.set_verbosity_error()
    warnings.simplefilter("ignore")
    for task, arguments, options in CASES:
        head = head_of(task)
        model = getattr(transformers, head).from_pretrained(folder / head).eval()
        tokenizer = transformers.LEDTokenizerFast.from_pretrained(folder / head)
        found = transformers.pipeline(task, model=model, tokenizer=tokenizer)(
            *arguments, **options
        )
        print(json.dumps(found, default=lambda tensor: tensor.tolist()))


if __name__ == "__main__":
    {"write": write, "ask": ask}[sys.argv[1]](Path(sys.argv[2]))
