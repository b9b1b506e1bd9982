"""Tokenizers that are not LED's, as real files: one of each kind that LEDs have."""

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
CORPUS = ["Straße und Häuser", "der Zug fährt spät", "Привет, мир", "안녕하세요"] * 3
LED_FRAME = processors.TemplateProcessing(
    "<s> $A </s>", "<s> $A </s> </s> $B </s>", [("<s>", 0), ("</s>", 2)]
)


def byte_level(
    normalizer=None, split=None, frame=LED_FRAME, add_prefix_space=False, **options
):
    """A byte-level BPE with something changed."""
    tokenizer = Tokenizer(models.BPE(**options))
    splitter = pre_tokenizers.ByteLevel(add_prefix_space)
    tokenizer.pre_tokenizer = split or splitter
    tokenizer.decoder = decoders.ByteLevel()
    if normalizer:
        tokenizer.normalizer = normalizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trained(
        tokenizer,
        trainers.BpeTrainer(
            vocab_size=331, special_tokens=SPECIAL, initial_alphabet=alphabet
        ),
        frame,
    )


def trained(tokenizer, trainer, frame=LED_FRAME):
    tokenizer.train_from_iterator(CORPUS, trainer)
    if frame:
        tokenizer.post_processor = frame
    return tokenizer


def metaspace():
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=131, special_tokens=SPECIAL)
    return trained(tokenizer, trainer)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=71, special_tokens=SPECIAL, unk_token="<unk>"
    )
    return trained(tokenizer, trainer)


def word_piece():
    tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=131, special_tokens=SPECIAL)
    return trained(tokenizer, trainer)


def lower_case():
    return byte_level(normalizer=normalizers.Lowercase())


def other_regex():
    split = pre_tokenizers.Split(Regex(r"\p{N}{1,3}|\p{L}+|\s+|."), "isolated")
    whole = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return byte_level(split=pre_tokenizers.Sequence([split, whole]))


def other_frame():
    frame = processors.TemplateProcessing("$A </s>", "$A </s> $B </s>", [("</s>", 2)])
    return byte_level(frame=frame)


# How each differs, as the message names it.
OTHERS = {
    metaspace: "pre_tokenizer is 'Metaspace'",
    unigram: "model is 'Unigram'",
    word_piece: "model is 'WordPiece'",
    lower_case: "normalizer is 'Lowercase'",
    other_regex: "pre_tokenizer is ",
    other_frame: "post_processor",
}


def save(tokenizer, folder):
    """Writes tokenizer.json and a config as the directory of a German LED has it."""
    named = dict(zip(("bos", "pad", "eos", "unk", "mask"), SPECIAL, strict=True))
    tokens = {f"{name}_token": token for name, token in named.items()}
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", **tokens
    ).save_pretrained(folder)
    config = folder / "tokenizer_config.json"
    text = config.read_text().replace("TokenizersBackend", "LEDTokenizer")
    config.write_text(text.replace("PreTrainedTokenizerFast", "LEDTokenizer"))
