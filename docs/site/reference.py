"""The pages of the reference: every public name with its docstring, its members and the header to include, one page a family.
A name or a member for users that has no docstring is an error that names it and its header.
"""

import re

from pages import FIRST, REFERENCE

# What the library asks of layers, terms and losses (core/layer.hpp, core/term.hpp), and what the language asks of types: not
# for those who use them.
CONTRACT = {
    "check", "each_hyperparameter", "hyperparameters", "name", "slot", "traits", "output", "parameters", "weights", "states",
    "initialize", "initialize_state", "forward", "backward", "gradient", "gradient_of_part", "tangent", "curvature", "cache",
    "state", "fold", "mirror", "tied", "onnx", "value", "derivative", "second_derivative", "each", "samples", "windows",
    "convolution", "picture_windows", "squared_rows", "add_scaled_rows", "replicas", "draw_prior", "draw_posterior", "posterior", "corrupt", "accepts", "scratch", "penalty", "penalty_gradient",
    "weighted_room", "weighted_gradient", "from_logits", "from_output", "squared_norms", "terms", "mean", "may_be_missing",
}
LANGUAGE = {"begin", "end"}
CONTRACT_FOLDERS = ("layers/", "losses/", "terms/")


def anchor(name):
    return f"hg.{name}"


def escaped(text):
    """Running text whose signs are not Markdown's, but for what stands in backticks."""
    parts = re.split(r"(`[^`]+`)", text)
    for i in range(0, len(parts), 2):
        parts[i] = re.sub(r"([\\*_\[\]<>|~$#])", r"\\\1", parts[i])
        parts[i] = re.sub(r"^(\s*)(\d+)([.)])(\s)", r"\1\2\\\3\4", parts[i])
        parts[i] = re.sub(r"^(\s*)([-+])(\s)", r"\1\\\2\3", parts[i])
    return "".join(parts)


def markdown(doc):
    """A docstring: paragraphs, and blocks that are set in by four blanks: code where they hold a statement or a name of the
    library's, else formulas."""
    out, paragraph, block = [], [], []

    def end_paragraph():
        if paragraph:
            out.append(escaped(" ".join(paragraph)) + "\n")
            paragraph.clear()

    def end_block():
        while block and not block[-1]:
            block.pop()
        if block:
            language = "cpp" if any(re.search(r"hg::|;", line) for line in block) else "text"
            out.append(f"```{language}\n" + "\n".join(block) + "\n```\n")
            block.clear()

    for line in doc:
        if line.startswith("    "):
            end_paragraph()
            block.append(line[4:])
        elif not line.strip():
            end_paragraph()
            if block:
                block.append("")
        else:
            end_block()
            paragraph.append(line.strip())
    end_paragraph()
    end_block()
    return "\n".join(out)


class Reference:
    def __init__(self, face, public, include):
        self.face, self.public, self.include = face, public, include
        self.together = face.headers.included_by("hourglass.hpp")
        self.wrong = []
        self.places = {}  # name: its page
        self.pages = {name: {} for name in REFERENCE}  # page: {section: names}
        self.divide()

    def complain(self, declaration, what):
        self.wrong.append(f"include/hourglass/{declaration.header}:{declaration.line}: {what} has no docstring (///)")

    def divide(self):
        """Which name stands where."""
        sections = {header: (page, title) for page, (_, _, _, parts) in REFERENCE.items()
                    for title, headers in parts for header in headers}
        folders = {folder: page for page, (_, _, of_page, _) in REFERENCE.items() for folder in of_page}
        for header in sections:
            if not (self.include / "hourglass" / header).exists():
                self.wrong.append(f"docs/site/pages.py: there is no include/hourglass/{header}")
        for name in self.public:
            declarations = [each for each in self.face.names.get(name, []) if not each.hidden]
            if not declarations:
                self.wrong.append(f"{name}: a public name that no header declares for users")
                continue
            header = min(declarations, key=lambda each: (each.doc is None, each.header)).header
            page, section = sections.get(header) or (folders.get(header.split("/")[0]), "")
            if page is None:
                self.wrong.append(f"include/hourglass/{header}: no page of docs/site/pages.py takes {name}")
                continue
            if not section and REFERENCE[page][3]:
                self.wrong.append(f"include/hourglass/{header}: no section of docs/site/pages.py, page {page}, takes {name}")
            self.places[name] = page
            self.pages[page].setdefault(section, []).append((header, declarations[0].line, name))

    def page(self, page):
        title, about, _, parts = REFERENCE[page]
        out = ["---\ntocdepth: 3\n---\n", f"# {title}\n", about + "\n"]
        order = [(section, headers) for section, headers in parts or [("", [])] if section in self.pages[page]]
        for section, headers in order:
            if section:
                out.append(f"## {section}\n")
            key = lambda each: (headers.index(each[0]) if each[0] in headers else 0, each[0],
                                FIRST.index(each[2]) if each[2] in FIRST else len(FIRST), each[1])
            for _, _, name in sorted(self.pages[page][section], key=key):
                out.append(self.entry(name, "###" if section else "##"))
        return "\n".join(out)

    def entry(self, name, level):
        declarations = [each for each in self.face.names[name] if not each.hidden]
        if all(each.doc is None for each in declarations):
            self.complain(declarations[0], name)
        out = [f'<span id="{anchor(name)}"></span>\n', f"{level} {name}\n"]
        headers = list(dict.fromkeys(each.header for each in declarations))
        included = ", ".join(f"`hourglass/{header}`" for header in headers)
        with_all = ", part of `hourglass/hourglass.hpp`" if self.together.issuperset(headers) else ""
        out.append(f"```{{rst-class}} from\n```\n{included}{with_all}\n")
        for signatures, doc, group in self.groups(declarations, name):
            plain = [each for each in signatures if each != name]  # a class that is no template is its name
            if plain:
                out.append(self.code(plain))
            if doc:
                out.append(markdown(doc))
            for each in group:
                if each.kind in ("class", "struct"):
                    out.append(self.type(each, level))
        return "\n".join(out)

    def groups(self, declarations, what):
        """Declarations that share a docstring, in order."""
        groups = []
        for each in declarations:
            if each.kind == "function" and each.doc is None:
                self.complain(each, f"{what}, {each.signature},")
            signature = each.signature
            if groups and groups[-1][1] is each.doc and each.doc is not None:
                groups[-1][0].append(signature)
                groups[-1][2].append(each)
            else:
                groups.append(([signature], each.doc, [each]))
        for signatures, *_ in groups:
            signatures[:] = dict.fromkeys(signatures)
        return groups

    @staticmethod
    def code(signatures):
        return "```{code-block} cpp\n:class: signature\n\n" + "\n".join(signatures) + "\n```\n"

    def type(self, declaration, level):
        by_contract = declaration.header.startswith(CONTRACT_FOLDERS)
        shown = [each for each in declaration.members
                 if not each.hidden and each.name not in LANGUAGE
                 and (each.name == "operator()" or not each.name.startswith(("operator", "~")))
                 and not (by_contract and each.kind == "function" and each.name != declaration.name
                          and (each.inherited or each.doc is None or each.name in CONTRACT))
                 and each.name not in ("each_hyperparameter",)]
        constructors = [each for each in shown if each.kind == "function" and each.name == declaration.name
                        and not re.search(rf"\((const )?{declaration.name}(<.*>)?&&?( \w+)?\)", each.signature)
                        and (each.doc or not each.signature.endswith("()"))]
        functions = [each for each in shown if each.kind == "function" and each.name != declaration.name]
        variables = [each for each in shown if each.kind == "variable" and (not each.static or each.doc)]
        nested = [each for each in shown if each.kind in ("class", "struct") and each.members
                  and not by_contract]
        enums = [each for each in shown if each.kind == "enum"]
        out = []
        bases = [base for base in declaration.bases if self.places.get(base.split("<")[0], "authors") != "authors"]
        if bases:
            out.append("Has the members of " + " and ".join(f"`{base}`" for base in bases) + ", too.\n")
        if constructors:
            groups = []
            for each in constructors:
                if groups and (each.doc is None or groups[-1][1] is each.doc):
                    groups[-1][0].append(each.signature)
                else:
                    groups.append(([each.signature], each.doc))
            for signatures, doc in groups:
                out.append(self.code(dict.fromkeys(signatures)))
                if doc:
                    out.append(markdown(doc))
        if variables:
            out.append(self.variables(variables, declaration.name))
        for each in nested:
            out.append(f"{level}# {declaration.name}::{each.name}\n")
            if each.doc:
                out.append(markdown(each.doc))
            out.append(self.variables([v for v in each.members if v.kind == "variable" and (not v.static or v.doc)],
                                      f"{declaration.name}::{each.name}"))
        for each in enums:
            if each.doc is None:
                self.complain(each, f"{declaration.name}::{each.name}")
            else:
                out += [self.code([each.signature]), markdown(each.doc)]
        by_name = {}
        for each in functions:
            by_name.setdefault(each.name, []).append(each)
        done = set()
        for name, overloads in by_name.items():
            if name in done:
                continue
            together = overloads + [each for each in functions if each.name != name and each.name not in done
                                    and each.doc is not None and any(each.doc is o.doc for o in overloads)]
            names = list(dict.fromkeys(each.name for each in together))
            together += [each for n in names[1:] for each in by_name[n] if each not in together]
            done.update(names)
            out.append(f"{level}# {', '.join(names)}\n")
            for signatures, doc, _ in self.groups(together, f"{declaration.name}::{name}"):
                out.append(self.code(signatures))
                if doc:
                    out.append(markdown(doc))
        return "\n".join(out)

    def variables(self, variables, owner):
        out = []
        for each in variables:
            if each.doc is None:
                self.complain(each, f"{owner}::{each.name}")
                continue
            said = markdown(each.doc).strip().replace("\n", "\n    ")
            out.append(f"`{each.signature}`\n:   {said}\n")
        return "\n".join(out)
