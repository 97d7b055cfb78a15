#!/usr/bin/env python3
"""Writes src/rejoin/activities.py from what `rejoin activities --json` says.

Usage: generate_activities.py [--check] < activities.json

--check writes nothing, and fails where the file is not what would be written. Needs ruff on the path, or beside this Python.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "src" / "rejoin" / "activities.py"

TYPES = {"boolean": "bool", "integer": "int", "duration": "str | int"}
STREAMS = {"rows": "Rows", "text": "Text", "bytes": "Bytes", "any": "Any"}
REQUIRES = {
    "relational": "Needs a database.",
    "web": "Needs an HTTP service as data resource.",
    "grant": "Has to be granted in the activity configuration document.",
}

Json = dict[str, Any]


def snake(name: str) -> str:
    """csvOutput -> csv_output, databaseSchemaToXML -> database_schema_to_xml."""
    snaked = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    # The outputs are properties, and Python has words of its own.
    return f"{snaked}_" if snaked == "property" or keyword.iskeyword(snaked) else snaked


def pascal(name: str) -> str:
    return name[0].upper() + name[1:]


def value_type(described: Json) -> str:
    if described.get("choices"):
        words = ", ".join(json.dumps(word) for word in described["choices"])
        return f"Literal[{words}]"
    return TYPES.get(described["type"], "str")


def sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text.endswith(".") else ".")


def sample(name: str, described: Json) -> str:
    """A value for an example."""
    if described.get("choices"):
        return json.dumps(described["choices"][0])
    given = {"boolean": "True", "integer": "1", "duration": '"PT1S"'}.get(described["type"])
    return given or json.dumps({"expression": "SELECT 1"}.get(name, name))


#: A stream of each type for the inputs of examples.
SAMPLE_STREAMS = {
    "rows": 'SqlQueryStatement(expression="SELECT 1").result_stream',
    "text": 'Echo(text="hello").output',
    "bytes": "InputStream().to_local",
    "any": 'Echo(text="hello").output',
}


class Generator:
    def __init__(self) -> None:
        self.elements: dict[str, tuple[str, str]] = {}
        # By the name of the child, as long as its activity is written.
        self.classes: dict[str, str] = {}
        self.written: list[str] = []

    def field(self, name: str, of_type: str, metadata: Json, default: str | None, meaning: str) -> str:
        comment = f"    #: {sentence(meaning)}\n" if meaning else ""
        given = f"default={default}, " if default is not None else ""
        return f"{comment}    {name}: {of_type} = field({given}metadata={metadata!r})\n"

    def attributes(self, attributes: list[Json]) -> str:
        written = ""
        for each in attributes:
            of_type = value_type(each)
            default = None if each["required"] else "None"
            written += self.field(
                snake(each["name"]),
                of_type if each["required"] else f"{of_type} | None",
                {"attribute": each["name"]},
                default,
                each["meaning"] + (f"; without it `{each['default']}`" if each.get("default") else ""),
            )
        return written

    def example(self, cls: str, attributes: list[Json], children: list[Json], own: str | None = None) -> str:
        """The shortest that is valid: what is required, and the first of each choice."""
        given = [own] if own else []
        given += [f"{snake(each['name'])}={sample(each['name'], each)}" for each in attributes if each["required"]]
        chosen = set()
        for each in children:
            output = each["stream"] is not None and each["stream"]["direction"] == "output"
            choice = each["choice"]
            if output or each["occurs"] in ("optional", "any") or choice in chosen - {None}:
                continue
            chosen.add(choice)
            several = each["occurs"] == "some"
            value = self.sample_child(each)
            if cls == "SqlUpdateStatement" and each["name"] == "expression":
                value = '"UPDATE customer SET credit = 0 WHERE id = 42"'
            given.append(f"{snake(each['name'])}={f'[{value}]' if several else value}")
        return f"{cls}({', '.join(given)})"

    def sample_child(self, child: Json) -> str:
        attributes, children, text, stream = (child[key] for key in ("attributes", "children", "text", "stream"))
        if child["name"] in self.classes:
            return self.example(self.classes[child["name"]], attributes, children, self.sample_content(child))
        if text is not None:
            return sample(child["name"], text)
        if stream is not None:
            return SAMPLE_STREAMS[stream["type"]]
        return sample(attributes[0]["name"], attributes[0]) if attributes else "True"

    @staticmethod
    def sample_content(child: Json) -> str | None:
        needed = child["text"] is not None and not child.get("any") and child["name"] != "sqlParameter"
        return f"content={sample(child['name'], child['text'])}" if needed else None

    def child(self, activity: str, child: Json) -> str:
        metadata: Json = {"child": child["name"]}
        attributes, children, text, stream = (child[key] for key in ("attributes", "children", "text", "stream"))
        is_input = stream is not None and stream["direction"] == "input"
        content = []
        if text is not None:
            content.append(value_type(text))
        if is_input:
            content.append(f"Stream[{STREAMS[stream['type']]}]")
        if child.get("any"):
            content.append("ElementTree.Element")
        if child["name"] == "sqlParameter":
            # A plain value will do; one that says more is an element.
            of_type = f"{self.element(activity, child, content)} | Stream[Text] | Value"
        elif not attributes and not children:
            of_type = " | ".join(content) or "bool"
        elif len(attributes) == 1 and not children and not content:
            only = attributes[0]
            metadata = {"value": child["name"], "key": only["name"]}
            of_type = value_type(only) if only["required"] or only["name"] == "value" else f"{value_type(only)} | bool"
        else:
            of_type = self.element(activity, child, content)
        if child["choice"] is not None:
            metadata["choice"] = child["choice"]
            metadata["optional"] = child["occurs"] in ("optional", "any")
        several = child["occurs"] in ("any", "some")
        if several:
            of_type = f"Sequence[{of_type}]"
        default = None
        if child["occurs"] in ("optional", "any") or child["choice"] is not None:
            default = "()" if several else "None"
            of_type = of_type if several else f"{of_type} | None"
        return self.field(snake(child["name"]), of_type, metadata, default, child["meaning"])

    def element(self, activity: str, child: Json, content: list[str]) -> str:
        """The class of a child that has attributes or children of its own."""
        body = ""
        if content:
            default = "None" if child.get("any") or not child["text"] or child["name"] == "sqlParameter" else None
            of_type = " | ".join(content) + (" | None" if default else "")
            body += self.field("content", of_type, {"text": True}, default, "its content")
        body += self.attributes(child["attributes"])
        body += "".join(self.child(activity, each) for each in child["children"])
        name = pascal(child["name"])
        if name in self.elements and self.elements[name][0] != body:
            name = pascal(activity) + name
        self.classes[child["name"]] = name
        if name not in self.elements:
            shown = self.example(name, child["attributes"], child["children"], self.sample_content(child))
            meaning = f"`{child['name']}`: {child['meaning'] or 'a part of an activity'}."
            class_body = f'    """{meaning}\n\n    >>> part = {shown}\n    """\n\n{body}'
            self.elements[name] = (body, f"@dataclass(eq=False, kw_only=True)\nclass {name}(Element):\n{class_body}")
            self.written.append(self.elements[name][1])
        return name

    def activity(self, described: Json) -> None:
        element = described["element"]
        self.classes = {}
        body = self.attributes(described["attributes"])
        outputs, properties = [], ""
        # A field of that name would hide what makes outputs.
        decorator = "builtins.property" if any(child["name"] == "property" for child in described["children"]) else "property"
        for child in described["children"]:
            stream = child["stream"]
            if stream is not None and stream["direction"] == "output":
                maybe_rows = stream["type"] in ("rows", "any")
                outputs.append((child["name"], maybe_rows, child["occurs"] == "one"))
                properties += (
                    f"\n    @{decorator}\n    def {snake(child['name'])}(self) -> Stream[{STREAMS[stream['type']]}]:\n"
                    f'        """Output: {stream["type"]}{", " + child["meaning"].rstrip(".") if child["meaning"] else ""}."""\n'
                    f'        return self._output("{child["name"]}")\n'
                )
            else:
                body += self.child(element, child)
        requires = REQUIRES.get(described["requires"], "")
        summary = sentence(described["summary"])
        shown = self.example(pascal(element), described["attributes"], described["children"])
        doc = f'    """{summary}\n\n' + (f"    {requires}\n\n" if requires else "") + f'    >>> step = {shown}\n    """\n'
        order = [child["name"] for child in described["children"]]
        constants = f'    ELEMENT: ClassVar[str] = "{element}"\n'
        # A request of such alone may be run as often as it takes. All others get a key.
        if described["changes"] == "nothing":
            constants += "    CHANGES: ClassVar[bool] = False\n"
        constants += f"    OUTPUTS: ClassVar[Sequence[tuple[str, bool, bool]]] = {tuple(outputs)!r}\n"
        constants += f"    ORDER: ClassVar[Sequence[str]] = {tuple(order)!r}\n"
        self.written.append(
            f"@dataclass(eq=False, kw_only=True)\nclass {pascal(element)}(Activity):\n{doc}\n{constants}\n{body}{properties}"
        )

    def module(self, described: Json) -> str:
        for each in described["activities"]:
            self.activity(each)
        names = sorted(
            [pascal(each["element"]) for each in described["activities"]] + list(self.elements),
        )
        listed = "".join(f'    "{name}",\n' for name in names)
        classes = "\n\n".join(self.written)
        return (
            '"""A class for each activity of the service; see `docs/activities.md` there.\n\n'
            "Written by generate_activities.py from `rejoin activities --json`: don't edit.\n"
            '"""\n\n'
            "from __future__ import annotations\n\n"
            "import builtins\n"
            "from collections.abc import Sequence\n"
            "from dataclasses import dataclass, field\n"
            "from typing import Any, ClassVar, Literal\n"
            "from xml.etree import ElementTree\n\n"
            "from .activity import Activity, Bytes, Element, Rows, Stream, Text\n"
            "from .parameters import Value\n\n"
            f"__all__ = [\n{listed}]\n\n\n{classes}"
        )


def formatted(source: str) -> str:
    beside = Path(sys.executable).parent / "ruff"
    ruff = str(beside) if beside.exists() else "ruff"
    for command in (["check", "--fix", "--quiet", "--ignore", "E501"], ["format", "--quiet"]):
        done = subprocess.run(
            [ruff, *command, "--stdin-filename", str(TARGET), "-"], input=source, capture_output=True, text=True, check=False
        )
        if done.stdout:
            source = done.stdout
    return source


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    described = json.load(sys.stdin)
    if described["version"] != 1:
        sys.exit(f"this is version {described['version']} of the form; 1 is known here")
    source = formatted(Generator().module(described))
    if sys.argv[1:] == ["--check"]:
        if source != TARGET.read_text():
            sys.exit(
                f"{TARGET.name} is not what the service says; this mends it:\n"
                "target/debug/rejoin activities --json | target/python/bin/python clients/python/generate_activities.py"
            )
        return
    TARGET.write_text(source)


if __name__ == "__main__":
    main()
