"""A model of the Hugging Face Hub: its files, downloaded to the cache one by one."""

import os
import warnings
from pathlib import Path

from huggingface_hub import (
    _CACHED_NO_EXIST,
    HfApi,
    hf_hub_download,
    is_offline_mode,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HTTPError,  # httpx's, of the version that huggingface_hub uses
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tf_led.checkpoints.errors import one_line


class Repo:
    """A model of the Hub at one revision.

    Args:
        name: str, its id.
        revision: str or None.
        subfolder: str, "" for the top.
        token: str, bool or None.
        cache_dir: str, Path or None.
        local_files_only: bool.
        force_download: bool.
    """

    def __init__(
        self,
        name,
        *,
        revision=None,
        subfolder="",
        token=None,
        cache_dir=None,
        local_files_only=False,
        force_download=False,
    ):
        self._is_local = local_files_only or is_offline_mode()
        if force_download and self._is_local:
            raise ValueError(
                "`force_download=True` needs the Hub, which `local_files_only=True` or "
                "HF_HUB_OFFLINE rules out; drop one of them."
            )
        if cache_dir is None and os.environ.get("TRANSFORMERS_CACHE"):
            warnings.warn(
                "TRANSFORMERS_CACHE is set, which nobody reads since transformers 5: "
                "set HF_HUB_CACHE, or give `cache_dir`.",
                stacklevel=2,
            )
        self.name = name
        self.revision = revision
        self.subfolder = subfolder
        self._options = {
            "token": token,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
            "force_download": force_download,
        }
        self._unreachable = None

    def at(self, commit):
        """Returns the same repository at one commit, whatever its branches do."""
        where = {"revision": commit, "subfolder": self.subfolder}
        return Repo(self.name, **where, **self._options)

    def first(self, file_names):
        """Gets the first of some files that the repository has.

        Args:
            file_names: list of str.

        Returns:
            Path of it in the cache; None if the repository has none of them.

        Raises:
            OSError: as `resolve` lists them.
        """
        for file_name in file_names:
            path = self._get(file_name)
            if path is not None:
                return path
        if self._unreachable is not None:
            raise self._not_cached("any weights")
        return None

    def get(self, file_name):
        """Gets one file, which must be there; Path of it in the cache."""
        path = self._get(file_name)
        if path is None and self._unreachable is not None:
            raise self._not_cached(f"`{one_line(file_name)}`")
        if path is None:
            raise FileNotFoundError(f"`{self.name}` has no `{one_line(file_name)}`.")
        return path

    def find(self, file_name):
        """Gets one file that need not be there; Path of it in the cache, or None.

        Args:
            file_name: str.

        Returns:
            Path; None if the repository has none, or if the cache has none and the Hub
            is not to be asked.

        Raises:
            OSError: as `resolve` lists them, if the Hub cannot be reached.
        """
        path = self._get(file_name)
        if path is not None or self._unreachable is None or self._is_absent(file_name):
            return path
        if not self._is_local:
            raise self._no_network(self._unreachable)
        warnings.warn(
            f"The cache does not have `{file_name}` of `{self.name}`, and the Hub may "
            "not be asked whether there is one; going on without it.",
            stacklevel=2,
        )
        return None

    def _is_absent(self, file_name):
        """Whether the cache remembers that the repository has no such file."""
        found = try_to_load_from_cache(
            self.name,
            f"{self.subfolder.strip('/')}/{file_name}".lstrip("/"),
            cache_dir=self._options["cache_dir"],
            revision=self.revision,
        )
        return found is _CACHED_NO_EXIST

    def files(self):
        """Lists the names of the files beside the weights; none if that fails."""
        try:
            listed = HfApi().list_repo_files(
                self.name, revision=self.revision, token=self._options["token"]
            )
        except (HTTPError, OSError, ValueError, RuntimeError):
            return []
        start = f"{self.subfolder.strip('/')}/" if self.subfolder else ""
        inside = [name.removeprefix(start) for name in listed if name.startswith(start)]
        return sorted(name for name in inside if "/" not in name)

    def _get(self, file_name):
        """Returns the Path, or None if the file is not there or not in the cache."""
        try:
            return Path(
                hf_hub_download(
                    self.name,
                    file_name,
                    revision=self.revision,
                    subfolder=self.subfolder or None,
                    **self._options,
                )
            )
        except LocalEntryNotFoundError as error:
            self._unreachable = self._unreachable or error
            # Once is enough: every further try would wait for the network again.
            self._options = {**self._options, "local_files_only": True}
            return None
        except EntryNotFoundError:
            return None
        except RuntimeError as error:
            # huggingface_hub 1.3, without a connection: it asks a second time on the
            # client that it has closed, in place of looking into the cache.
            if self._options["local_files_only"]:
                raise
            self._unreachable = error
            self._options = {**self._options, "local_files_only": True}
            return self._get(file_name)
        except (HTTPError, OSError, ValueError) as error:
            raise self._in_our_words(error) from error

    def _in_our_words(self, error):
        if isinstance(error, GatedRepoError):
            return PermissionError(
                f"The Hub gives `{self.name}` only to those who asked for access on "
                "its page; then pass `token`, or run `hf auth login`."
            )
        if isinstance(error, RepositoryNotFoundError):
            return FileNotFoundError(
                f"`{self.name}` is neither a folder here nor a model that the Hub "
                "shows you; for a private one pass `token`, or run `hf auth login`."
            )
        if isinstance(error, RevisionNotFoundError):
            return FileNotFoundError(
                f"`{self.name}` has no `revision` {self.revision!r} on the Hub."
            )
        is_ours = (HTTPError, ValueError, ConnectionError)
        return self._no_network(error) if isinstance(error, is_ours) else error

    def _no_network(self, error):
        why = one_line(error.__cause__ or error)
        return ConnectionError(f"Cannot get `{self.name}` from the Hub: {why}")

    def _not_cached(self, what):
        if not self._is_local:
            return self._no_network(self._unreachable)
        where = self._options["cache_dir"] or "the cache"
        return FileNotFoundError(
            f"`{self.name}` is not a folder, {where} does not have {what} of it, and "
            "`local_files_only=True` or HF_HUB_OFFLINE keeps from asking the Hub."
        )
