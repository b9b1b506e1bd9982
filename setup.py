"""Adds to setup.cfg what depends on where the repository is: URLs, README's links.

The address comes from the environment variable TF_LED_REPOSITORY, which the release
workflow sets. A build without it has no URLs but the paper's, and a description without
links to files: a page of a package index cannot show what lies beside the README.
"""

import os
import re
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent
PAPER = "https://arxiv.org/abs/2004.05150"
# Pictures first: their pattern is a link's with "!" before it.
RELATIVE_PICTURE = re.compile(r"!\[([^]]*)\]\((?!https?:|#)([^)]+)\)")
RELATIVE_LINK = re.compile(r"(?<!!)\[([^]]*)\]\((?!https?:|#)([^)]+)\)")


def project_urls(address, tag):
    """The links that a package index shows beside the description."""
    if not address:
        return {"Paper": PAPER}
    return {
        "Source": address,
        "Documentation": f"{address}/blob/{tag}/README.md#guides",
        "Changelog": f"{address}/blob/{tag}/CHANGELOG.md",
        "Issues": f"{address}/issues",
        "Paper": PAPER,
    }


def description(readme, address, tag):
    """README as it reads away from the repository, at the state of that tag."""
    if address:
        picture, link = (
            rf"![\1]({address}/raw/{tag}/\2)",
            rf"[\1]({address}/blob/{tag}/\2)",
        )
    else:
        picture, link = "", r"\1"
    return RELATIVE_LINK.sub(link, RELATIVE_PICTURE.sub(picture, readme))


def main():
    source = (ROOT / "tf_led/__init__.py").read_text(encoding="utf-8")
    tag = "v" + re.search(r'^__version__ = "(.+)"', source, re.M)[1]
    address = os.environ.get("TF_LED_REPOSITORY", "").removesuffix("/")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    setup(
        project_urls=project_urls(address, tag),
        long_description=description(readme, address, tag),
    )


if __name__ == "__main__":
    main()
