"""The public face, from Doxygen's XML (names, arguments, members, places) and the headers (docstrings, as they are written).

A docstring is the comment of `///` above a declaration, or behind a member as `///<`. Functions that follow each other
without an empty line share the one above the first. A comment of `//` in its place says that a function is not for users.
"""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

NAMESPACES = ("hourglass::", "HOURGLASS_ABI::")  # the inline one, of which Doxygen sometimes knows nothing


@dataclass
class Declaration:
    """A function, a type, a member: what it is called, how it is written, where it stands."""

    kind: str  # function, variable, typedef, enum, class, struct, concept
    name: str
    header: str  # below include/hourglass
    line: int
    signature: str = ""
    doc: list = None  # lines of the docstring
    members: list = field(default_factory=list)
    bases: list = field(default_factory=list)
    values: list = field(default_factory=list)  # of an enumeration
    static: bool = False
    hidden: bool = False
    inherited: bool = False


def within(name):
    """A name without the library's namespace."""
    for namespace in NAMESPACES:
        name = name.replace(namespace, "")
    return name


def text_of(element):
    return "" if element is None else "".join(element.itertext())


def tidy(code):
    """C++ as clang-format spaces it, from Doxygen's "Batch< T > &"."""
    code = re.sub(r"\b(constexpr|inline|friend|explicit|mutable|typename|typedef)\s+(?!=)", "", code + " ")
    code = within(code)
    code = re.sub(r"\s+", " ", code).strip()
    code = re.sub(r"\s*<\s+", "<", code)
    code = re.sub(r"\s+>", ">", code)
    code = re.sub(r"\s*::\s*", "::", code)
    code = re.sub(r"\s+(&&?|\*)", r"\1", code)
    code = re.sub(r"(&&?|\*)\s*(const\b)", r"\1 \2", code)
    return re.sub(r"\(\s+", "(", code)


def split_outside(text, separator=","):
    """Parts of a list, where separators within brackets of any kind do not count."""
    parts, depth, begin = [], 0, 0
    for i, c in enumerate(text):
        depth += c in "<({["
        depth -= c in ">)}]" and not (c == ">" and i > 0 and text[i - 1] == "-")
        if c == separator and depth == 0:
            parts.append(text[begin:i].strip())
            begin = i + 1
    parts.append(text[begin:].strip())
    return [part for part in parts if part]


def parameter_name(parameter):
    """("Filters", "1", "Index") of "Index Filters = 1", with "…" behind the name of a pack."""
    declared, _, default = parameter.partition("=")
    kind, _, name = declared.strip().rpartition(" ")
    return (name + "…" if "..." in declared else name).replace("...", ""), default.strip(), kind.replace("...", "")


class Headers:
    """The lines of the headers, and what their comments say."""

    def __init__(self, include):
        self.include = Path(include)
        self.cache = {}

    def lines(self, header):
        if header not in self.cache:
            self.cache[header] = (self.include / "hourglass" / header).read_text(encoding="utf-8").split("\n")
        return self.cache[header]

    def included_by(self, header):
        """The headers that a header includes, by others too."""
        found, left = set(), [header]
        while left:
            each = left.pop()
            if each not in found:
                found.add(each)
                left += re.findall(r'#include "hourglass/(.+?)"', "\n".join(self.lines(each)))
        return found

    def code(self, header, line):
        """A line without the comment at its end; lines count from 1."""
        return re.sub(r"\s*//.*", "", self.lines(header)[line - 1]).rstrip()

    def above(self, header, line):
        """What stands above the declaration that `line` is in: ("doc", its lines), ("note", None) for a comment that is
        none, ("member", its last line) for another declaration, or ("nothing", None); and the declaration's first line."""
        lines = self.lines(header)
        at = line
        while at > 1:
            before = lines[at - 2].strip()
            code = self.code(header, at - 1).strip()
            if not before or before.startswith(("//", "#")):
                break
            if code.endswith((";", "{", "}", ":")) and not code.startswith(("template", "requires")):
                break
            at -= 1
        if at == 1:
            return "nothing", None, at
        before = lines[at - 2].strip()
        code = self.code(header, at - 1).strip()
        if before.startswith("///"):
            # A comment behind a member may go on in lines of its own.
            end = at - 1
            begin = end
            while begin > 1 and lines[begin - 2].strip().startswith("///") and not lines[begin - 2].strip().startswith("///<"):
                begin -= 1
            if lines[begin - 1].strip().startswith("///<"):
                return "member", at - 1, at
            return "doc", [re.sub(r"^\s*/// ?", "", each).rstrip() for each in lines[begin - 1 : end]], at
        if before.startswith("//"):
            return "note", None, at
        if code.endswith((";", "}")) and not before.startswith("}  // namespace"):
            return "member", at - 1, at
        return "nothing", None, at

    def behind(self, header, line):
        """The comment `///<` behind a member that ends in one of the next lines."""
        lines = self.lines(header)
        at = line
        while "///<" not in lines[at - 1]:
            if self.code(header, at).endswith((";", "}")) or at - line > 8:
                return None
            at += 1
        found = [lines[at - 1].split("///<", 1)[1].strip()]
        while at < len(lines) and lines[at].strip().startswith("///<"):
            found.append(lines[at].strip()[4:].strip())
            at += 1
        return found

    def declared_ahead(self, header, name):
        """Where a class template is declared before its definition: its arguments have their defaults there."""
        for number, line in enumerate(self.lines(header), 1):
            if re.match(rf"(struct|class) {name};$", line):
                return number
        return None

    def template_parameters(self, header, line):
        """The arguments of the template whose declaration `line` is in."""
        *_, first = self.above(header, line)
        text = " ".join(self.code(header, at).strip() for at in range(first, line + 1))
        if not text.startswith("template <"):
            return []
        depth = 0
        for i, c in enumerate(text):
            depth += c in "<({"
            depth -= c in ">)}"
            if c == ">" and depth == 0:
                return [parameter_name(each) for each in split_outside(text[len("template <") : i])]
        return []


class Face:
    """All declarations of namespace hourglass, and the members of its classes."""

    def __init__(self, xml, include):
        self.headers = Headers(include)
        self.compounds = {}
        for path in sorted(Path(xml).glob("*.xml")):
            if path.name.startswith(("class", "struct", "concept", "namespace")):
                for compound in ElementTree.parse(path).getroot().iter("compounddef"):
                    self.compounds[compound.get("id")] = compound
        self.by_name = {within(text_of(each.find("compoundname"))): each for each in self.compounds.values()}
        self.names = {}  # name: its declarations
        self.add_compounds()
        self.add_namespace_members()

    def place(self, element):
        location = element.find("location")
        header = location.get("file").split("hourglass/", 1)[-1]
        return header, int(location.get("line"))

    def add(self, declaration):
        self.names.setdefault(declaration.name, []).append(declaration)

    def add_compounds(self):
        for name, compound in self.by_name.items():
            whole = text_of(compound.find("compoundname"))
            if compound.get("kind") != "namespace" and whole.startswith(NAMESPACES[0]) and "::" not in name.split("<")[0]:
                self.add(self.compound(compound, name))

    def compound(self, compound, name):
        header, line = self.place(compound)
        kind = compound.get("kind")
        plain = name.split("<")[0]
        special = name[len(plain) :]
        if kind == "concept":
            for number, each in enumerate(self.headers.lines(header), 1):
                if re.match(rf"concept {plain} =", each):
                    line = number
        ahead = None if special else self.headers.declared_ahead(header, plain)
        parameters = self.headers.template_parameters(header, ahead or line)
        signature = tidy(name) if special else self.broken(plain + self.arguments(parameters))
        signature = f"concept {signature}" if kind == "concept" else signature
        found, doc, _ = self.headers.above(header, line)
        if ahead and found != "doc":
            found, doc, _ = self.headers.above(header, ahead)
        declaration = Declaration(kind, plain, header, line, signature, doc if found == "doc" else None)
        declaration.hidden = found == "note"
        if kind != "concept":
            declaration.members = self.members(compound, plain)
            declaration.bases = [tidy(text_of(base)) for base in compound.findall("basecompoundref") if base.get("prot") == "public"]
        return declaration

    @staticmethod
    def arguments(parameters):
        """"<Filters, Kernel, Stride = 1>": as a user writes them, called by their types where those say more."""
        shown = []
        for name, default, kind in parameters:
            if default and default.startswith(kind + "::"):
                name = kind  # "Padding = Padding::Valid"
            shown.append(name + (f" = {default}" if default else ""))
        return f"<{', '.join(shown)}>" if shown else ""

    @staticmethod
    def broken(signature, width=72):
        """The arguments of a template on as many lines as it takes."""
        lines, indent = [], " " * (signature.find("<") + 1)
        while len(signature) > width and ", " in signature[:width]:
            at = signature.rfind(", ", 0, width) + 1
            lines.append(signature[:at])
            signature = indent + signature[at + 1 :]
        return "\n".join([*lines, signature])

    def members(self, compound, owner):
        """Public members in the order of the header, with those of bases that are not public names themselves."""
        found = []
        for section in compound.findall("sectiondef"):
            for member in section.findall("memberdef"):
                if member.get("prot") == "public" and "friend" not in member.get("kind"):
                    found.append(self.member(member, owner))
        for inner in compound.findall("innerclass"):
            if inner.get("prot") == "public" and inner.get("refid") in self.compounds:
                nested = self.compounds[inner.get("refid")]
                found.append(self.compound(nested, text_of(nested.find("compoundname")).split("::")[-1]))
        found.sort(key=lambda each: each.line)
        self.share_docs(found)
        for base in compound.findall("basecompoundref"):
            identity = base.get("refid")
            if base.get("prot") == "public" and identity in self.compounds:
                inherited = self.compounds[identity]
                name = within(text_of(inherited.find("compoundname"))).split("<")[0]
                if "::" in name:
                    known = {each.name for each in found if each.kind == "variable"}
                    own = {(each.name, each.signature) for each in found}  # overridden
                    more = [each for each in self.members(inherited, owner)
                            if each.name not in known and (each.name, each.signature) not in own]
                    for each in more:  # constructors that are inherited
                        if each.kind == "function" and each.name == name.split("::")[-1]:
                            each.signature = each.signature.replace(each.name, owner, 1)
                            each.name = owner
                        each.inherited = True
                    found += more
        return found

    def member(self, member, owner):
        header, line = self.place(member)
        kind, name = member.get("kind"), text_of(member.find("name"))
        result = tidy(text_of(member.find("type")))
        declaration = Declaration(kind, name, header, line, static=member.get("static") == "yes")
        found, doc, _ = self.headers.above(header, line)
        declaration.doc = doc if found == "doc" else None
        declaration.hidden = found == "note"
        if kind == "function":
            declaration.signature = self.function(member, name, result, owner)
        elif kind == "variable":
            declaration.doc = self.headers.behind(header, line) or declaration.doc
            declaration.hidden = False
            initial = tidy(text_of(member.find("initializer")))
            declaration.signature = f"{result} {name} {initial}".strip() if initial.startswith("=") else f"{result} {name}{initial}"
        elif kind == "typedef":
            declaration.signature = re.sub(r"\s+", " ", tidy(text_of(member.find("definition"))))
            declaration.signature = re.sub(r"^(using|typedef)\s+", "", declaration.signature)
            parameters = self.headers.template_parameters(header, line)
            what = declaration.signature.split(" = ", 1)[-1]
            what = "" if what.startswith("decltype") else f" = {what}"
            declaration.signature = f"{'using ' if what else ''}{name}{self.arguments(parameters)}{what}"
        elif kind == "enum":
            for value in member.findall("enumvalue"):
                declaration.values.append(text_of(value.find("name")))
            strong = "enum class " if member.get("strong") == "yes" else "enum "
            declaration.signature = f"{strong}{name} {{ {', '.join(declaration.values)} }}"
        return declaration

    def function(self, member, name, result, owner):
        parameters = []
        for each in member.findall("param"):
            kind = tidy(text_of(each.find("type")))
            called = text_of(each.find("declname")).rstrip("_")
            if "(*)(" in kind:  # a function
                kind, called = re.sub(r"\(\*\)\(.*", f"(*{called})(…)", kind), ""
            default = tidy(text_of(each.find("defval")))
            array = text_of(each.find("array"))
            called = f" {called}" if called else ""
            parameters.append(kind + called + array + (f" = {default}" if default else ""))
        # What the compiler finds by itself is left out; what a caller writes between < and > stays.
        said = []
        template = member.find("templateparamlist")
        for each in [] if template is None else template.findall("param"):
            kind, called = tidy(text_of(each.find("type"))), text_of(each.find("declname"))
            if not called:
                kind, _, called = kind.rpartition(" ")
            called = called.replace("...", "").strip()
            if not any(re.search(rf"\b{called}\b", text_of(p.find("type"))) for p in member.findall("param")):
                default = tidy(text_of(each.find("defval")))
                said.append((called, default, kind))
        # A default behind which the compiler finds the rest needs not be said; those in front of another do.
        arguments = self.arguments(said)
        constant = " const" if member.get("const") == "yes" else ""
        static = "static " if member.get("static") == "yes" and owner else ""
        if name == owner or not result:
            return self.wrapped(f"{name}{arguments}", parameters, constant)
        between = "\n" if len(result) > 28 else " "  # so that the name is seen in a narrow window
        return self.wrapped(f"{static}{result}{between}{name}{arguments}", parameters, constant)

    @staticmethod
    def wrapped(begin, parameters, end, width=72):
        whole = f"{begin}({', '.join(parameters)}){end}"
        if max(map(len, whole.split("\n"))) <= width:
            return whole
        return begin + "(\n    " + ",\n    ".join(parameters) + f"){end}"

    def share_docs(self, members):
        """Functions and types that follow another without an empty line share its docstring; those that are not for users
        say so one by one, but for overloads."""
        last = {}
        for member in members:
            found, end, _ = self.headers.above(member.header, member.line)
            before = last.get(member.header)
            if member.doc is None and not member.hidden and member.kind in ("function", "typedef", "class", "struct"):
                if found == "member" and before and before.line <= end and before.kind == member.kind:
                    if not before.hidden or before.name == member.name:
                        member.doc, member.hidden = before.doc, before.hidden
            last[member.header] = member

    def add_namespace_members(self):
        found = []
        for compound in self.compounds.values():
            if compound.get("kind") == "namespace" and not within(text_of(compound.find("compoundname")) + "::"):
                for section in compound.findall("sectiondef"):
                    found += [self.member(each, "") for each in section.findall("memberdef")]
        found = list({(each.header, each.line, each.name): each for each in found}.values())
        found.sort(key=lambda each: (each.header, each.line))
        self.share_docs(found)
        for each in found:
            if not each.name.startswith("operator"):
                self.add(each)
