"""How `make docs` builds the pages: Markdown by MyST, the API from the docstrings."""

import contextlib
import inspect
import io
import os
import re
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive

import tf_led
from tf_led.cli.main import main

project = "tf_led"
release = version = tf_led.__version__
copyright = "the authors of tf_led, Apache-2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["make"]
html_theme = "furo"
html_title = f"tf_led {release}"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_show_sphinx = False

# The docstrings are written with Markdown's backticks: a name in them becomes a link
# where there is such a name, and code where there is none.
default_role = "py:obj"
napoleon_custom_sections = ["Source"]
napoleon_use_rtype = False  # "float[B, S]" is no name of a class
autodoc_member_order = "bysource"
# The docstrings say more than the annotations: dtype and shape.
autodoc_typehints = "none"
myst_heading_anchors = 4
# The headings of an included README are those of a page, whatever their level.
suppress_warnings = ["myst.header"]

ROOT = Path(__file__).parents[1]
# Pages that stand in the root of the repository, where people look for them.
ROOT_PAGES = {
    "index": "README.md",
    "contributing": "CONTRIBUTING.md",
    "changelog": "CHANGELOG.md",
}


def show_root_page(app, docname, source):
    """Puts a page of the root before what its stand-in in docs/ has to add."""
    if docname in ROOT_PAGES:
        path = ROOT / ROOT_PAGES[docname]
        app.env.note_dependency(str(path))
        source[0] = seen_from_docs(path.read_text(encoding="utf-8")) + source[0]


def seen_from_docs(text):
    """Has links that are right in the root lead to the same files from docs/."""
    pages = {page: f"{docname}.md" for docname, page in ROOT_PAGES.items()}

    def moved(link):
        target, anchor = link[1], link[2] or ""
        target = pages.get(target) or target.removeprefix("docs/")
        place = target if (ROOT / "docs" / target).exists() else f"../{target}"
        return f"]({place}{anchor})"

    return re.sub(r"\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)", moved, text)


def skip_foreign(app, what, name, obj, skip, options):
    """Leaves out what Keras and transformers document themselves."""
    function = getattr(obj, "fget", None) or getattr(obj, "func", None) or obj
    module = getattr(function, "__module__", None) or "tf_led"
    return None if module.startswith("tf_led") else True


def show_constructor(app, what, name, obj, options, signature, returns):
    """Shows what a class is made with: Keras hides it behind a `__new__` of its own."""
    if what != "class" or "__init__" not in vars(obj):
        return None
    made = inspect.signature(vars(obj)["__init__"])
    _, *arguments = made.parameters.values()
    untyped = [one.replace(annotation=one.empty) for one in arguments]
    shown = made.replace(parameters=untyped, return_annotation=made.empty)
    return str(shown), returns


def mark_code(app, what, name, obj, options, lines):
    """Has names in backticks become links, and other code in them stay as it is.

    It would be misread as a link: `<s> A </s>` is a title and a target to Sphinx.
    """

    def marked(code):
        return code[0] if re.fullmatch(r"[\w.]+", code[1]) else f"``{code[1]}``"

    text = re.sub(r"(?<![:`])`([^`]+)`(?!`)", marked, "\n".join(lines))
    lines[:] = text.split("\n")


class CommandHelp(Directive):
    """What `tf-led SUBCOMMAND --help` prints, from the command as it is."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        os.environ["COLUMNS"] = "88"  # how wide argparse prints
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([*self.arguments[0].split()[1:], "--help"])
        text = printed.getvalue()
        block = nodes.literal_block(text, text)
        block["language"] = "text"
        return [block]


def setup(app):
    app.add_directive("command-help", CommandHelp)
    app.connect("source-read", show_root_page)
    app.connect("autodoc-skip-member", skip_foreign)
    app.connect("autodoc-process-signature", show_constructor)
    app.connect("autodoc-process-docstring", mark_code, priority=400)  # before napoleon
