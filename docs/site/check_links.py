"""Looks at the finished pages: every link, picture, style and script within the site is there, and so is the place in the
page that a link names; nothing is loaded from elsewhere; no picture is too large; the search knows every public name.

    python3 check_links.py build/docs/html build/docs/source/names.json
"""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LARGEST_PICTURE = 200_000  # bytes


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.places, self.links, self.loaded = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.places.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        for key in ("href", "src"):
            if attributes.get(key):
                self.links.append(attributes[key])
                if key == "src" or (tag == "link" and attributes.get("rel") in ("stylesheet", "preload", "icon")):
                    self.loaded.append(attributes[key])


def main(site, names):
    site = Path(site).resolve()
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    wrong, count = [], 0
    for path, page in pages.items():
        shown = path.relative_to(site)
        for link in page.loaded:
            if urlsplit(link).scheme in ("http", "https") or link.startswith("//"):
                wrong.append(f"{shown}: loads {link} from elsewhere")
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            count += 1
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                wrong.append(f"{shown}: {link}: there is no such file")
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].places:
                wrong.append(f"{shown}: {link}: the page has no such place")
    for path in sorted(site.rglob("*")):
        if path.suffix in (".png", ".jpg", ".jpeg", ".svg", ".gif", ".webp") and path.stat().st_size > LARGEST_PICTURE:
            wrong.append(f"{path.relative_to(site)}: {path.stat().st_size} bytes, a picture may have {LARGEST_PICTURE}")
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    titles = json.loads(index[index.index("{") : index.rindex("}") + 1])["alltitles"]
    for name in json.loads(Path(names).read_text(encoding="utf-8")):
        if name not in titles:
            wrong.append(f"searchindex.js: a search for {name} does not find its description")
    if not pages or not count:
        wrong.append(f"{site}: no page, or no link")
    for line in sorted(set(wrong)):
        print(line, file=sys.stderr)
    if wrong:
        return 1
    print(f"{site / 'index.html'}: {len(pages)} pages, {count} links within them, all there")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
