"""`from_pretrained`, with refusals that name the place."""

import json
import os


class LoadingMixin:
    """Reads what transformers 4 and 5 wrote, and refuses the rest in one line."""

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, *args, **kwargs):
        """Reads a tokenizer.

        Args:
            pretrained_model_name_or_path: a directory with tokenizer.json, or with
                vocab.json and merges.txt; the path of a tokenizer.json; or a Hub id.
            *args: for the constructor.
            **kwargs: `cache_dir`, `local_files_only`, `revision`, `subfolder`, `token`
                and so on; anything else is for the constructor, and is kept on saving.

        Returns:
            A tokenizer of this class.

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
        place = str(pretrained_model_name_or_path)
        if looks_like_path(place) and not os.path.exists(place):
            raise FileNotFoundError(f"There is no file or directory {place!r}.")
        try:
            return super().from_pretrained(place, *args, **kwargs)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(
                f"A file of the tokenizer in {place!r} is broken: {error}."
            ) from None


def looks_like_path(place):
    return os.path.isabs(place) or place.startswith((".", "~"))
