"""Writes data/golden.json: what the tokenizers of transformers 4.57.6 answered.

Needs transformers 4.57.6 and NumPy, in an environment of their own, as the package
itself needs version 5:

    pip install transformers==4.57.6 numpy
    python tests/tokenization/make_golden.py

data/vocab.json and data/merges.txt are the tokenizer that is asked: 301 merges, trained
with `tokenizers.ByteLevelBPETokenizer` on the topics of `pydoc` and one line of many
scripts. `<mask>` is the last token, as in LED.
"""

import copy
import itertools
import json
import warnings
from pathlib import Path

DATA = Path(__file__).parent / "data"

TEXTS = [
    "Hello world",
    " Hello world",
    "",
    " ",
    "  two  spaces ",
    "tab\there\nnew line\r\n\r\nand more",
    "naïve café ÀÉÎ z\u0301",
    "日本語のテキスト",
    "😀👩‍👩‍👧 emoji",
    "<mask>",
    "Hello <mask> world",
    "a  <mask>b <mask>  c",
    "x<mask>\n<mask>",
    "</s> in <s>text</s><pad><unk>",
    "can't won't it's I'M they'LL",
    "numbers 1234567 3.14 ١٢٣",
    "nbsp\u00a0ideographic\u3000zero\u200bwidth",
    "\x00\x01 control \ufeff",
    "long words antidisestablishmentarianism",
    "שלום עربى",
]
# 3, 7 and 11 tokens.
SHORT, LONG, LONGER = "a b c", "d e f a b c d", "e f a b c d e f a b c"
IDS = list(range(70, 77))
LONGEST = "longest_first"


def cases():
    """Yields (name, options of the tokenizer, method, arguments, named arguments)."""
    yield from texts()
    yield from batches()
    yield from cuts()
    yield from words()
    yield from plain_ids()
    yield from prepared()
    yield from pads()
    yield from decoded()
    yield from tokens()


def call(text, made=(), **options):
    return dict(made), "__call__", [text], options


def texts():
    flags = {"return_special_tokens_mask": True, "return_token_type_ids": True}
    for text in TEXTS:
        yield call(text, return_special_tokens_mask=True)
        yield call(text, text_pair="a pair", **flags)
        yield {}, "tokenize", [text], {}
    yield call(TEXTS, return_length=True, **flags)
    yield call(TEXTS, text_pair=TEXTS[::-1])
    yield call(TEXTS, add_special_tokens=False, return_special_tokens_mask=True)
    yield call(TEXTS, return_attention_mask=False)
    yield call("the text", text_pair="")
    yield call(["the text"], text_pair=[""])
    yield call(None, text_target=[SHORT, LONG])
    yield call([SHORT, LONG], text_target=[LONG, SHORT], max_length=5, truncation=True)
    yield call(SHORT, text_target=LONG, text_pair="pair", text_pair_target="target")
    yield {}, "encode", [LONG, SHORT], {"add_special_tokens": False}
    yield {}, "encode_plus", [LONG, SHORT, True, "max_length", True, 11, 2], {}
    yield {}, "batch_encode_plus", [[[SHORT, LONG], ["a", "b"]]], {"padding": True}
    yield {}, "prepare_seq2seq_batch", [[SHORT, LONG]], {"max_length": 7}
    yield {}, "prepare_seq2seq_batch", [[SHORT, LONG], [LONG, ""], 7, 5], {}


def batches():
    paddings = [True, "longest", "max_length", "do_not_pad", False]
    for padding, side, multiple in itertools.product(
        paddings, ["right", "left"], [None, 7]
    ):
        options = {"padding": padding, "pad_to_multiple_of": multiple}
        options |= {"return_special_tokens_mask": True, "return_length": True}
        if padding == "max_length":
            options["max_length"] = 23
        made = {"padding_side": side}
        yield call([SHORT, LONG, ""], made, **options)
        yield call(LONG, made, **options)
        yield call(LONG, text_pair=SHORT, padding_side=side, **options)
    yield call([LONG], {"model_max_length": 29}, padding="max_length")
    yield call([LONG], {"model_max_length": 5}, truncation=True)
    yield call([LONG], max_length=5)


def cuts():
    strategies = [LONGEST, "only_first", "only_second"]
    pairs = [(SHORT, LONG), (LONG, SHORT), (LONG, LONG), (LONG, None)]
    for strategy, side, (first, second) in itertools.product(
        strategies, ["right", "left"], pairs
    ):
        made = {"truncation_side": side}
        for length in (4, 7, 9, 10, 13):
            options = {"truncation": strategy, "max_length": length}
            yield call(first, made, text_pair=second, **options)
            options |= {"stride": 1, "return_overflowing_tokens": True}
            yield call(first, made, text_pair=second, padding="max_length", **options)
    batch = [LONG, SHORT, LONGER]
    for strategy in (LONGEST, "only_first", True, "do_not_truncate"):
        options = {"truncation": strategy, "max_length": 9, "stride": 2}
        yield call(batch, padding=True, return_length=True, **options)
        yield call(batch, return_overflowing_tokens=True, **options)
        yield call(batch, text_pair=[SHORT] * 3, padding=True, **options)
        yield call(batch, text_pair=[LONG] * 3, max_length=14, truncation=strategy)


def words():
    sentence = ["the", "text", "", " is", "longer", "<mask>", "日本"]
    for prefix in (True, False):
        made = {"add_prefix_space": prefix}
        yield call(sentence, made, is_split_into_words=True)
        yield call([sentence, ["a"]], made, is_split_into_words=True, padding=True)
        yield call(sentence, made, text_pair=["a", "pair"], is_split_into_words=True)
        yield call(sentence, made, is_split_into_words=True, max_length=6)
    yield call(["the text", " the text", "", "Hello"], {"add_prefix_space": True})
    yield call(["the text", " the text", ""], add_prefix_space=True)
    yield {}, "tokenize", ["the text"], {"add_prefix_space": True}
    yield {}, "prepare_for_tokenization", ["the text", True], {}


def plain_ids():
    yield {}, "encode", [IDS], {}
    yield {}, "encode", [IDS, IDS[:5]], {"truncation": "only_first", "max_length": 13}
    yield {}, "encode", [["the", "Ġtext", "<mask>"], "the text"], {}
    yield {}, "encode_plus", [IDS], {"return_length": True, "padding": True}
    yield {}, "encode_plus", [IDS], {"max_length": 7, "return_overflowing_tokens": True}
    yield {}, "batch_encode_plus", [[[IDS, [5, 7]], [IDS[:3], [5]]]], {"padding": True}
    for ids, pair in ((IDS, None), (IDS, [5, 7]), ([], None), ([], [])):
        yield {}, "build_inputs_with_special_tokens", [ids, pair], {}
        yield {}, "create_token_type_ids_from_sequences", [ids, pair], {}
        yield {}, "get_special_tokens_mask", [ids, pair], {}
    odd_ends = {"cls_token": "a", "sep_token": "b", "bos_token": "c", "eos_token": "d"}
    yield odd_ends, "build_inputs_with_special_tokens", [IDS, [5]], {}
    ids = [0, 1, 2, 3, 4, 5, 560]
    yield {}, "get_special_tokens_mask", [ids], {"already_has_special_tokens": True}
    yield {}, "num_special_tokens_to_add", [], {}
    yield {}, "num_special_tokens_to_add", [True], {}


def prepared():
    for pair, strategy, length, side in itertools.product(
        (None, IDS[:3], IDS, IDS + IDS[:4]),
        (True, "only_first", "only_second", "do_not_truncate"),
        (5, 10),
        ("right", "left"),
    ):
        made = {"truncation_side": side, "padding_side": side}
        options = {"truncation": strategy, "max_length": length}
        yield made, "prepare_for_model", [IDS, pair], options
        options |= {"return_overflowing_tokens": True, "stride": 3}
        options |= {"return_length": True, "return_token_type_ids": True}
        options |= {"padding": "max_length", "pad_to_multiple_of": 5}
        yield made, "prepare_for_model", [IDS, pair], options
        removed = [IDS, pair, length, strategy if strategy is not True else LONGEST]
        yield made, "truncate_sequences", removed, {"stride": 2}
    yield {}, "prepare_for_model", [IDS], {}
    yield {}, "prepare_for_model", [IDS], {"return_attention_mask": False}
    yield {}, "prepare_for_model", [IDS, [5], False], {"return_length": True}
    yield {}, "prepare_for_model", [IDS], {"return_special_tokens_mask": True}
    yield {}, "prepare_for_model", [IDS], {"max_length": 5}
    yield {}, "prepare_for_model", [[]], {}
    yield {}, "prepare_for_model", [[], None, False], {}
    tensors = {"return_tensors": "np", "prepend_batch_axis": True}
    yield {}, "prepare_for_model", [IDS, [5]], {"return_length": True, **tensors}


def pads():
    rows = [
        {"input_ids": IDS[:n], "global_attention_mask": [1, *[0] * (n - 1)]}
        for n in (5, 2, 7)
    ]
    full = [
        {**row, "attention_mask": [1] * len(row["input_ids"]), "label": n}
        for n, row in enumerate(rows)
    ]
    columns = {key: [row[key] for row in full] for key in full[0]}
    masked = {
        "input_ids": [4, 5],
        "special_tokens_mask": [1, 0],
        "token_type_ids": [0, 0],
    }
    ready = {"input_ids": IDS[:3], "global_attention_mask": [1, 0, 0, -1, -1]}
    for side, padding, multiple in itertools.product(
        ("right", "left"), (True, "max_length", False), (None, 7)
    ):
        made = {"padding_side": side}
        options = {"padding": padding, "pad_to_multiple_of": multiple}
        if padding == "max_length":
            options["max_length"] = 13
        for inputs in (
            rows,
            full,
            columns,
            rows[0],
            [masked],
            {"input_ids": [[], [4]]},
        ):
            yield made, "pad", [inputs], options
    yield {}, "pad", [rows[:2]], {"return_tensors": "np"}
    yield {}, "pad", [[ready]], {"padding": "max_length", "max_length": 5}
    yield {}, "pad", [{"input_ids": []}], {}
    yield {}, "pad", [[{"input_ids": []}]], {}
    yield {}, "pad", [[{"input_ids": IDS}]], {"return_attention_mask": False}


def decoded():
    ids = [0, 403, 561, 2, 1, 291, 527, 163, 226, 163, 17, 8, 2]
    yield {}, "decode", [ids], {}
    yield {}, "decode", [ids], {"skip_special_tokens": True}
    yield {}, "decode", [ids], {"clean_up_tokenization_spaces": True}
    yield {"clean_up_tokenization_spaces": True}, "decode", [[403, 224, 17]], {}
    yield {}, "decode", [403], {}
    yield {}, "batch_decode", [[ids, ids[:3]]], {"skip_special_tokens": True}
    yield {}, "batch_decode", [[403, 291]], {}
    yield {}, "convert_ids_to_tokens", [ids, True], {}
    yield {}, "convert_ids_to_tokens", [403], {}
    yield {}, "convert_tokens_to_ids", [["the", "Ġa", "not there"]], {}
    yield {}, "convert_tokens_to_string", [["the", "Ġa", "Ã"]], {}
    yield {"errors": "ignore"}, "decode", [[403, 163, 17]], {}


def tokens():
    """Questions about a tokenizer that got three tokens more (see `ask`)."""
    text = "a<new>b <doc-sep>c<sp>d <mask>"
    ids = [0, 68, 562, 69, 224, 563, 70, 564, 71, 561, 2]
    made = {"added": True}
    yield call([text], made)
    yield made, "decode", [ids], {}
    yield made, "decode", [ids, True], {}
    yield made, "decode", [ids], {"spaces_between_special_tokens": False}
    yield made, "additional_special_tokens", None, {}
    yield made, "additional_special_tokens_ids", None, {}
    yield made, "all_special_tokens", None, {}
    yield made, "all_special_ids", None, {}
    yield made, "special_tokens_map", None, {}
    yield made, "special_tokens_map_extended", None, {}
    yield made, "all_special_tokens_extended", None, {}
    yield made, "added_tokens_encoder", None, {}
    yield made, "sanitize_special_tokens", [], {}
    yield made, "vocab_size", None, {}
    yield made, "__len__", [], {}
    yield {}, "additional_special_tokens", None, {}
    yield {}, "special_tokens_map", None, {}
    yield {}, "max_len_single_sentence", None, {}
    yield {}, "model_input_names", None, {}


def ask(cls, made, method, arguments, options):
    """Asks a fresh tokenizer; `made["added"]` gives it three tokens more before."""
    made = dict(made)
    added = made.pop("added", False)
    tokenizer = cls(DATA / "vocab.json", DATA / "merges.txt", **made)
    if added:
        tokenizer.add_tokens(["<new>"])
        tokenizer.add_special_tokens({"additional_special_tokens": ["<doc-sep>"]})
        tokenizer.add_tokens(["<sp>"], special_tokens=True)
    member = getattr(tokenizer, method)
    arguments = copy.deepcopy(arguments)  # 4.57 writes into what it pads
    answer = member if arguments is None else member(*arguments, **options)
    return plain(answer)


def plain(value):
    """What JSON keeps of an answer."""
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return [type(value).__name__, str(value), value.lstrip, value.rstrip]


def offsets():
    """Calls that LEDTokenizer rejected, or got wrong: it split no special token."""
    yield call(TEXTS, split_special_tokens=True)
    for text in (TEXTS, LONG):
        yield call(text, return_offsets_mapping=True)
        yield call(text, {"trim_offsets": False}, return_offsets_mapping=True)
        prefix = {"add_prefix_space": True}
        yield call(text, prefix, return_offsets_mapping=True, padding=True)
        yield call(text, return_offsets_mapping=True, padding=True)
    for stride, padding in itertools.product((0, 2), (False, True)):
        options = {"truncation": "only_second", "max_length": 12, "stride": stride}
        options |= {"return_overflowing_tokens": True, "return_offsets_mapping": True}
        yield call([SHORT] * 2, text_pair=[LONG, LONGER], padding=padding, **options)
    words = [["the", " text", "日本"]]
    options = {"is_split_into_words": True, "return_offsets_mapping": True}
    yield call(words, {"add_prefix_space": True}, **options)


def answers(cls):
    """Yields each case with what a class answered; what it rejected is printed."""
    own = offsets() if cls.__name__.endswith("Fast") else ()
    for case in itertools.chain(cases(), own):
        try:
            yield [*case, ask(cls, *case)]
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of the Rust tokenizer, too
            print(cls.__name__, "rejected", *case, type(error).__name__)


def main():
    """Asks both classes everything and writes the answers, the shared ones once."""
    from transformers import LEDTokenizer, LEDTokenizerFast, logging

    logging.set_verbosity(logging.CRITICAL)
    warnings.simplefilter("ignore")
    golden = {}
    for cls in (LEDTokenizer, LEDTokenizerFast):
        for case in answers(cls):
            line = json.dumps(
                case, ensure_ascii=False, separators=(",", ":"), sort_keys=True
            )
            golden.setdefault(line, []).append(cls.__name__)
    lines = ",\n".join(
        f"[{json.dumps(classes)},{line[1:]}" for line, classes in golden.items()
    )
    (DATA / "golden.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()
