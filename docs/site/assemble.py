"""Puts together what Sphinx makes the site of: the pages of docs, the reference, the examples and what the pages link to.

    python3 assemble.py <project> <doxygen's xml> <folder for the pages>

The pages of docs are plain Markdown that can be read in the repository. A link that leads out of docs leads to a page here
that shows that file.
"""

import json
import os
import re
import shutil
import sys
from pathlib import Path

from headers import Face
from pages import GUIDES, REFERENCE
from reference import Reference, anchor, escaped

LARGEST_PICTURE = 200_000
LANGUAGES = {".cpp": "cpp", ".hpp": "cpp", ".py": "python", ".cmake": "cmake", ".sh": "sh", ".json": "json"}
PICTURES = (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp")
# A link, whose text may be code; or code, in which there is none.
LINK = re.compile(r"`[^`]+`|(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^()\s]+)((?:\s+\"[^\"]*\")?\))")


def public_names(project):
    text = (project / "tests/layering/public_names.cmake").read_text(encoding="utf-8")
    listed = re.search(r"set\(public\n(.*?)\n\)", text, re.S).group(1)
    return re.sub(r"#.*", "", listed).split()


class Site:
    def __init__(self, project, out):
        self.project, self.out = project, out
        self.docs = project / "docs"
        self.wrong = []
        self.to_show = []  # files of the tree that a page links to
        self.shown = {}

    def write(self, page, text):
        path = self.out / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def relinked(self, text, source, page):
        """Links of `source`, a file of the tree, as they are to be in `page`."""

        def link(match):
            begin, target, end = match.groups()
            if target is None:
                return match.group(0)
            if re.match(r"[a-z]+:", target) or target.startswith("#"):
                return match.group(0)
            path, _, place = target.partition("#")
            there = (source.parent / path).resolve()
            if not there.exists() or not there.is_relative_to(self.project):
                self.wrong.append(f"{source.relative_to(self.project)}: {target}: there is no such file")
                return match.group(0)
            to = os.path.relpath(self.page_of(there), Path(page).parent)
            return begin + to + (f"#{place}" if place else "") + end

        # Not within code.
        parts = re.split(r"(^```.*?^```[^\n]*$)", text, flags=re.S | re.M)
        for i in range(0, len(parts), 2):
            parts[i] = LINK.sub(link, parts[i])
        return "".join(parts)

    def page_of(self, path):
        """The page that shows a file or folder of the tree."""
        if path.is_relative_to(self.docs) and (path.suffix == ".md" or path.suffix in PICTURES):
            return str(path.relative_to(self.docs))
        inside = path.relative_to(self.project)
        if path.suffix in PICTURES or path.suffix == ".md":
            page = f"tree/{inside}"
        elif path.is_dir():
            page = f"tree/{inside}/index.md"
        else:
            page = f"tree/{inside}.md"
        if page not in self.shown:
            self.shown[page] = path
            self.to_show.append((page, path))
        return page

    def copy_picture(self, path, page):
        if path.stat().st_size > LARGEST_PICTURE:
            self.wrong.append(f"{path.relative_to(self.project)}: {path.stat().st_size} bytes, a picture may have {LARGEST_PICTURE}")
        (self.out / page).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.out / page)

    def guides(self):
        found = [path for pattern in ("*.md", "*/*.md") for path in sorted(self.docs.glob(pattern))]
        for path in found:
            page = str(path.relative_to(self.docs))
            if page != "index.md":
                self.write(page, self.relinked(path.read_text(encoding="utf-8"), path, page))
        for path in sorted(self.docs.rglob("*")):
            if path.suffix in PICTURES:
                self.copy_picture(path, str(path.relative_to(self.docs)))
        return [str(path.relative_to(self.docs))[:-3] for path in found if path.name != "index.md" or path.parent != self.docs]

    def front(self, guides):
        """docs/index.md with the menu behind it."""
        left, menu = list(guides), []
        for caption, patterns in GUIDES:
            pages = []
            for pattern in patterns:
                some = [each for each in left if each == pattern or (pattern.endswith("/*") and each.startswith(pattern[:-1]))]
                pages += some
                left = [each for each in left if each not in some]
            menu.append((caption, pages))
        menu.insert(2, ("Reference", ["reference/index"] + [f"reference/{name}" for name in REFERENCE]))
        menu.insert(3, ("Examples", ["tree/examples/index"]))
        menu[-1][1].append("tree/CHANGELOG")
        self.wrong += [f"docs/{page}.md: it has no place in the menu, GUIDES of docs/site/pages.py" for page in left]
        path = self.docs / "index.md"
        text = self.relinked(path.read_text(encoding="utf-8"), path, "index.md")
        for caption, pages in menu:
            if pages:
                text += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(pages) + "\n```\n"
        # The list of reference pages stands before the menu.
        names = "".join(f"- [{title}](reference/{page}.md)\n" for page, (title, *_) in REFERENCE.items())
        begin = text.index("\n```{toctree}")
        self.write("index.md", text[:begin] + "\n## Every public name\n\n" + names + text[begin:])

    def examples(self):
        """The examples, with what each says of itself first."""
        page = "tree/examples/index.md"
        self.shown[page] = self.project / "examples"
        out = ["# Examples\n", "Programs of a page each, in the order of what they need to know. "
               "`cmake --workflow --preset demo` builds and runs the first.\n"]
        programs = sorted((self.project / "examples").glob("*.cpp"))
        for program in programs:
            comment = []
            for line in program.read_text(encoding="utf-8").split("\n"):
                if not line.startswith("//"):
                    break
                comment.append(line[2:].strip())
            self.page_of(program)
            said = escaped(" ".join(comment).split("  ")[0]) or "The program that README.md shows: a page from pictures to codes."
            out.append(f"[{program.name}]({program.name}.md)\n:   {said}\n")
        out.append("```{toctree}\n:hidden:\n\n" + "\n".join(f"{each.name}" for each in programs) + "\n```\n")
        self.write(page, "\n".join(out))

    def tree(self):
        """Pages of files of the tree, and of what these link to."""
        self.page_of(self.project / "CHANGELOG.md")
        while self.to_show:
            page, path = self.to_show.pop()
            if path.suffix in PICTURES:
                self.copy_picture(path, page)
            elif path.suffix == ".md":
                self.write(page, "---\norphan: true\n---\n\n" + self.relinked(path.read_text(encoding="utf-8"), path, page))
            elif path.is_dir():
                files = [each for each in sorted(path.iterdir()) if each.is_file() and each.suffix in (*LANGUAGES, ".md")]
                lines = [f"- [{each.name}]({os.path.relpath(self.page_of(each), Path(page).parent)})" for each in files]
                name = path.relative_to(self.project)
                self.write(page, f"---\norphan: true\n---\n\n# {name}\n\n" + "\n".join(lines) + "\n")
            else:
                text = path.read_text(encoding="utf-8")
                fence = "`" * (3 + max([len(run) for run in re.findall(r"`{3,}", text)], default=0))
                name = str(path.relative_to(self.project)).replace("_", "\\_")
                self.write(page, f"---\norphan: true\n---\n\n# {name}\n\n"
                                 f"{fence}{LANGUAGES.get(path.suffix, 'text')}\n{text}{fence}\n")

    def reference(self, xml):
        reference = Reference(Face(xml, self.project / "include"), public_names(self.project), self.project / "include")
        out = ["# Reference\n", "Every public name. All stand in namespace `hourglass`, which the pages call `hg`; "
               "`hourglass/hourglass.hpp` includes the headers, but for those of files, inference, threads and tensors.\n"]
        for name, (title, about, *_) in REFERENCE.items():
            self.write(f"reference/{name}.md", reference.page(name))
            there = sorted((each for each, page in reference.places.items() if page == name), key=str.lower)
            out.append(f"## [{title}]({name}.md)\n\n{about}\n\n" + " ".join(f"`hg::{each}`" for each in there) + "\n")
        self.write("reference/index.md", "\n".join(out))
        self.wrong += reference.wrong
        places = {name: [f"reference/{page}", anchor(name)] for name, page in reference.places.items()}
        self.write("names.json", json.dumps(places))


def main(project, xml, out):
    site = Site(Path(project).resolve(), Path(out))
    shutil.rmtree(site.out, ignore_errors=True)
    site.examples()
    guides = site.guides()
    site.reference(xml)
    site.front(guides)
    site.tree()
    for line in site.wrong:
        print(line, file=sys.stderr)
    return 1 if site.wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
