"""Reading a document from YAML: the safe loader, telephone numbers that stay texts, and the line of every field.

YAML takes 0123 for an octal number, +55 for 55 and 12:30 for 750; here only what looks like a plain decimal number is
one. A key that stands twice is an error instead of a surprise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

MAX_BYTES: Final = 32 * 1024 * 1024
MAX_NODES: Final = 2_000_000
"""Values, counted with what aliases repeat: a small file can be made of billions."""
PLAIN_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})")


class YamlError(Exception):
    """The file cannot be read. The message names the line."""


@dataclass(slots=True)
class YamlDocument:
    """What the file says, and where: path (`domains[0].name`) → line, counted from 1."""

    data: Any
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int | None:
        """The line of a path, or of the nearest thing around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = re.sub(r"(\.[^.\[\]]*|\[\d+\])$|^[^.\[\]]+$", "", path)
        return self.lines.get("")


def read_yaml(text: str) -> YamlDocument:
    """Raises YamlError."""
    if len(text) > MAX_BYTES:
        raise YamlError(f"The file is larger than {MAX_BYTES} bytes.")
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        document = YamlDocument(None)
        if root is not None:
            document.data = _Reader(loader, document.lines).read(root, "")
        return document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise YamlError(f"{where}{error.problem or error.context}") from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise YamlError(f"This is no YAML: {str(error)[:200]}") from error
    finally:
        loader.dispose()


class _Reader:
    """Nodes to values, with their lines."""

    def __init__(self, loader: yaml.SafeLoader, lines: dict[str, int]) -> None:
        self.loader, self.lines, self.nodes = loader, lines, 0

    def read(self, node: yaml.Node, path: str) -> Any:
        line = node.start_mark.line + 1
        self.lines[path] = line
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise YamlError(f"line {line}: more than {MAX_NODES} values.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, f"{path}[{position}]") for position, child in enumerate(node.value)]
        if node.tag == "tag:yaml.org,2002:int" and not PLAIN_NUMBER.fullmatch(node.value):
            return node.value
        if node.tag == "tag:yaml.org,2002:timestamp":
            return node.value
        return self.loader.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is None:
                raise YamlError(f"line {line}: a name is wanted here.")
            if key in found:
                raise YamlError(f"line {line}: {key[:60]!r} stands here twice.")
            found[key] = self.read(value_node, f"{path}.{key}" if path else key)
        return found
