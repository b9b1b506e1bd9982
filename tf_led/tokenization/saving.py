"""Reading and writing a tokenizer's files, those of transformers 4 included."""

import contextlib
import inspect
import json
import os
import re
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from transformers import PreTrainedTokenizerFast

from tf_led.checkpoints.disk.atomic import PREFIX, staged
from tf_led.checkpoints.json_files import check_is_file
from tf_led.tokenization import tokenizer_json
from tf_led.utils.annotations import PathLike

VOCABULARY_FILES = ("vocab.json", "merges.txt")
# What all tokenizers of transformers read, and what says where their files are.
SHARED_OPTIONS = (
    "added_tokens_decoder",
    "additional_special_tokens",
    "backend",
    "cache_dir",
    "chat_template",
    "clean_up_tokenization_spaces",
    "config",
    "extra_special_tokens",
    "force_download",
    "local_files_only",
    "max_len",
    "model_input_names",
    "model_max_length",
    "name_or_path",
    "padding_side",
    "processor_class",
    "proxies",
    "resume_download",
    "revision",
    "split_special_tokens",
    "subfolder",
    "tokenizer_class",
    "tokenizer_object",
    "truncation_side",
    "trust_remote_code",
    "use_auth_token",
)


class FilesMixin:
    """`from_pretrained` and the methods that save; each file is whole or not there."""

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: PathLike, *args: Any, **kwargs: Any
    ) -> Self:
        """Reads a tokenizer.

        Args:
            pretrained_model_name_or_path: a directory with tokenizer.json, or with
                vocab.json and merges.txt; the path of a tokenizer.json; or a Hub id.
            *args: for the constructor.
            **kwargs: `cache_dir`, `local_files_only`, `revision`, `subfolder`, `token`
                and so on; anything else is for the constructor, and is kept on saving,
                with a warning where nothing reads it.

        Returns:
            A tokenizer of this class; a `transformers.PreTrainedTokenizerFast`, with a
            warning, where tokenizer.json is not byte-level BPE as LED's tokenizers are.

        Raises:
            FileNotFoundError: if the path is not there.
            ValueError: if the files of a tokenizer are missing or broken.
            OSError: if the Hub does not answer or has no such model.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> paths = tokenizer.save_pretrained("tokenizer")
            >>> len(LEDTokenizerFast.from_pretrained("tokenizer"))
            6
        """
        warn_of_unread(cls, set(kwargs) - {"token"})
        place = str(pretrained_model_name_or_path)
        if looks_like_path(place) and not os.path.exists(place):
            raise FileNotFoundError(f"There is no file or directory {place!r}.")
        check_files(Path(place, kwargs.get("subfolder") or ""))
        try:
            with broken_files_as_value_error(place):
                tokenizer = super().from_pretrained(place, *args, **kwargs)
        except tokenizer_json.OtherTokenizerError as error:
            difference = error.difference
        else:
            warn_of_low_limit(tokenizer.model_max_length, place)
            return tokenizer
        warnings.warn(
            f"The tokenizer of {place!r} is not one as LED's are: its {difference}. It "
            "is used as it is, as a transformers.PreTrainedTokenizerFast.",
            stacklevel=2,
        )
        with broken_files_as_value_error(place):
            return PreTrainedTokenizerFast.from_pretrained(place, *args, **kwargs)

    @classmethod
    def convert_to_native_format(cls, **kwargs):
        """Builds the arguments of the constructor from files, as transformers does.

        Args:
            **kwargs: what `from_pretrained` found, `tokenizer_file` among others.

        Returns:
            dict of arguments.

        Raises:
            ValueError: if tokenizer.json is not byte-level BPE as LED's tokenizers are.
        """
        file = kwargs.get("tokenizer_file")
        if file is not None and os.path.isfile(file):
            tokenizer_json.check_file(file)
        return super().convert_to_native_format(**kwargs)

    def save_vocabulary(self, save_directory, filename_prefix=None):
        """Writes vocab.json and merges.txt.

        Args:
            save_directory: path of a directory that is there.
            filename_prefix: str. Put before the two names, with a dash.

        Returns:
            (str, str): the paths of the two files.

        Raises:
            NotADirectoryError: if the path is a file.
            FileNotFoundError: if there is nothing at the path.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> import os
            >>> [os.path.basename(path) for path in tokenizer.save_vocabulary(".")]
            ['vocab.json', 'merges.txt']
        """
        check_directory(save_directory)
        with draft_in(save_directory) as draft:
            self._tokenizer.model.save(draft, filename_prefix)
        names = [prefixed(name, filename_prefix) for name in VOCABULARY_FILES]
        return tuple(os.path.join(save_directory, name) for name in names)

    def save_pretrained(
        self,
        save_directory,
        legacy_format=None,
        filename_prefix=None,
        push_to_hub=False,
        **kwargs,
    ):
        """Writes all that `from_pretrained` reads.

        Args:
            save_directory: path of a directory; it is made if it is not there.
            legacy_format: None writes tokenizer.json and the files of transformers 4
                (vocab.json, merges.txt, special_tokens_map.json, added_tokens.json if
                there are any); True only these; False only tokenizer.json.
            filename_prefix: str. Put before the names, with a dash.
            push_to_hub: bool. Whether to upload the files.
            **kwargs: for the upload, `repo_id` among others.

        Returns:
            tuple of str: the paths of the files written.

        Raises:
            NotADirectoryError: if the path is a file.

        Example:
            >>> from tf_led import LEDTokenizerFast
            >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4}
            >>> tokenizer = LEDTokenizerFast(vocab, [])
            >>> paths = tokenizer.save_pretrained("tokenizer")
            >>> LEDTokenizerFast.from_pretrained("tokenizer").encode("a")
            [0, 4, 2]
        """
        if os.path.isfile(save_directory):
            raise_not_a_directory(save_directory)
        self._clear_rust_state()  # tokenizer.json would keep the last call's padding
        with draft_in(save_directory) as draft:
            paths = super().save_pretrained(
                draft, legacy_format, filename_prefix, **kwargs
            )
        if push_to_hub:
            options = {"repo_id": os.path.basename(save_directory), **kwargs}
            with TemporaryDirectory() as copy:
                super().save_pretrained(
                    copy, legacy_format, filename_prefix, push_to_hub=True, **options
                )
        names = [os.path.relpath(path, draft) for path in paths]
        return tuple(os.path.join(save_directory, name) for name in names)

    def _save_pretrained(
        self, save_directory, file_names, legacy_format=None, filename_prefix=None
    ):
        if legacy_format is not True:
            file_names = super()._save_pretrained(
                save_directory, file_names, legacy_format, filename_prefix
            )
        if legacy_format is False:
            return file_names
        files = {"special_tokens_map.json": self._special_tokens_file()}
        added = self.added_tokens_encoder.items()
        beyond = {token: index for token, index in added if index >= self.vocab_size}
        if beyond:
            files["added_tokens.json"] = beyond
        written = [
            write_json(save_directory, prefixed(name, filename_prefix), content)
            for name, content in files.items()
        ]
        vocabulary = self.save_vocabulary(save_directory, filename_prefix)
        return (*file_names, *written, *vocabulary)

    def _special_tokens_file(self):
        tokens = self.special_tokens_map_extended
        return self.convert_added_tokens(tokens, save=True, add_type_field=False)


def check_files(folder):
    """Checks that nothing that is read of a tokenizer is a device or a pipe."""
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if entry.suffix in (".json", ".txt", ".jinja") and entry.exists():
            check_is_file(entry)


@contextlib.contextmanager
def broken_files_as_value_error(place):
    """Raises ValueError for whatever a broken file of a directory leads to.

    The library in Rust raises Exception, TypeError and even its own BaseException.

    Args:
        place: str, the directory or the Hub id.
    """
    try:
        yield
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(
            f"A file of the tokenizer in {place!r} is broken: {error}."
        ) from None
    except (OSError, ValueError):
        raise
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"
        if not is_panic and not isinstance(error, Exception):
            raise
        reason = " ".join(str(error).split())
        raise ValueError(
            f"No tokenizer can be made of the files in {place!r}: {reason:.300}"
        ) from error


@contextlib.contextmanager
def draft_in(directory):
    """Makes a hidden directory in another, for files that are moved out when written.

    Args:
        directory: str or Path; made if need be.

    Yields:
        str, its path.

    Raises:
        OSError: if a file cannot be written; the library in Rust raises Exception.
    """
    is_aside = Path(directory).name.startswith(PREFIX)  # of a save that we are part of
    place = contextlib.nullcontext() if is_aside else staged(directory)
    with place as staging:
        try:
            yield str(directory if is_aside else staging.path)
        except Exception as error:
            found = re.search(r"\(os error (\d+)\)", str(error))
            if found is None or isinstance(error, OSError):
                raise
            number = int(found[1])
            raise OSError(number, os.strerror(number), str(directory)) from error


def warn_of_unread(cls, names):
    """Warns of keywords that neither the class nor transformers' loading reads.

    Args:
        cls: the tokenizer's class.
        names: iterable of str, the keywords that a user gave.
    """
    read = {*inspect.signature(cls.__init__).parameters, *SHARED_OPTIONS}
    unread = sorted(
        name
        for name in set(names) - read
        if not name.startswith("_")
        # Special tokens of a user's own are read.
        and not (name.endswith("_token") and not name.startswith("add_"))
    )
    if unread:
        listed = ", ".join(f"`{name}`" for name in unread)
        warnings.warn(
            f"{cls.__name__} got {listed}, which nothing reads: kept and saved alone.",
            stacklevel=3,
        )


def warn_of_low_limit(model_max_length, place):
    """Warns where the model beside the tokenizer has more positions than it allows."""
    try:
        config = json.loads(Path(place, "config.json").read_text(encoding="utf-8"))
        positions = config["max_encoder_position_embeddings"]
        is_low = model_max_length < positions
    except (OSError, ValueError, KeyError, TypeError):  # a tokenizer alone, a Hub id
        return
    if is_low:
        warnings.warn(
            f"The tokenizer in {place!r} has `model_max_length` {model_max_length}, "
            f"its model {positions} positions: `truncation=True` leaves out what is "
            f"beyond {model_max_length} tokens. If the positions were extended, set "
            f"tokenizer.model_max_length = {positions} and save it again.",
            stacklevel=3,
        )


def looks_like_path(place):
    return os.path.isabs(place) or place.startswith((".", "~"))


def prefixed(name, prefix):
    return f"{prefix}-{name}" if prefix else name


def check_directory(path):
    if os.path.isfile(path):
        raise_not_a_directory(path)
    if not os.path.isdir(path):
        raise FileNotFoundError(
            f"`save_directory`: there is no directory {str(path)!r}."
        )


def raise_not_a_directory(path):
    raise NotADirectoryError(
        f"`save_directory` must be a directory, {str(path)!r} is a file."
    )


def write_json(directory, name, content):
    path = os.path.join(directory, name)
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    Path(path).write_text(text + "\n", encoding="utf-8")
    return path
