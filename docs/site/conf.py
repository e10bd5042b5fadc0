"""Sphinx's settings: Markdown by MyST, the theme Furo, and links to the reference wherever a public name stands in code."""

import json
import os
import re
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

LOG = logging.getLogger(__name__)

project = "hourglass"
author = "the authors of hourglass"
release = version = os.environ["HOURGLASS_VERSION"]
extensions = ["myst_parser"]
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
exclude_patterns = ["names.json"]
suppress_warnings = ["misc.highlighting_failure"]  # "…" stands for what is left out of code
highlight_language = "cpp"
pygments_style = "friendly"
pygments_dark_style = "native"

html_theme = "furo"
html_title = f"hourglass {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_use_index = False
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#2f5d8a", "color-brand-content": "#2f5d8a"},
    "dark_css_variables": {"color-brand-primary": "#8db9e2", "color-brand-content": "#8db9e2"},
}

# Public names that are also words: a link only where they are called or written as hg::….
WORDS = {"text", "clear", "matrix", "codes", "flat", "fail", "stages", "tensor", "chain", "accuracy", "network", "freeze", "shuffle"}


def places(app):
    return json.loads((Path(app.srcdir) / "names.json").read_text(encoding="utf-8"))


class LinkNames(SphinxPostTransform):
    """`Conv2D<16, 3>` in running text leads to where Conv2D is described."""

    default_priority = 200

    def run(self, **kwargs):
        known = places(self.app)
        here = self.env.docname
        for literal in list(self.document.findall(nodes.literal)):
            if isinstance(literal.parent, (nodes.reference, nodes.title)) or "hourglass/" in literal.astext():
                continue
            found = re.match(r"(hg::|hourglass::)?(\w+)(?:(?=[<({]|::)|$)", literal.astext())
            if found and found[1] and found[2] not in known and not here.startswith("tree/"):
                LOG.warning("%s: there is no public name %s", literal.astext(), found[2], location=literal)
            if not found or found[2] not in known:
                continue
            if found[2] in WORDS and not found[1] and literal.astext() == found[2]:
                continue
            page, place = known[found[2]]
            uri = "" if page == here else self.app.builder.get_relative_uri(here, page)
            link = nodes.reference("", "", refuri=f"{uri}#{place}", internal=True)
            literal.replace_self(link)
            link += literal


NAME = re.compile(r'(<span class="n">hg</span><span class="o">::</span>)<span class="(n\w?)">(\w+)</span>')
SIGNATURE = re.compile(r'()<span class="(n\w?)">(\w+)</span>')
BLOCK = re.compile(r'<div class="(signature )?highlight-(?:cpp|default)[^"]*">.*?</pre>', re.S)


def link_code(app, exception):
    """The same in blocks of code: `hg::Conv2D`, and any name of a type in a signature."""
    if exception or app.builder.name != "html":
        return
    known = places(app)
    for path in Path(app.outdir).rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        here = path.relative_to(app.outdir).as_posix()

        def link(match):
            before, kind, name = match.groups()
            if name not in known or (not before and not name[0].isupper()):
                return match.group(0)
            page, place = known[name]
            to = "" if here == page + ".html" else os.path.relpath(page + ".html", os.path.dirname(here) or ".")
            return f'{before}<a class="{kind}" href="{to}#{place}">{name}</a>'

        linked = BLOCK.sub(lambda block: (SIGNATURE if block[1] else NAME).sub(link, block[0]), text)
        if linked != text:
            path.write_text(linked, encoding="utf-8")


def setup(app):
    app.add_post_transform(LinkNames)
    app.connect("build-finished", link_code)
