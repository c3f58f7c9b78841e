"""Mutations: sound policies broken at random, as slips of the keyboard and of the mind break them."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

SIGNS = (
    ":", ": ", ",", "，", "：", "“", "”", "　", "\t", "{", "}", "[", "]", "｛", "- ", "#", "&a ", "*a", "!x ", "|", ">",
    "'", '"', "%", "@", "`", "?", "\\", "~", "---\n", "...\n", "<<: ", "\x00", "\x07", "\x1b[31m", "\u2028", "\u202e",
    "\ufeff", "\r", "\n", "\n\n", "😀", "0", "1e999", ".nan", "null", "true", "-", "{param: wait}", "è", "z̀",
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 3.5, 10**30, 1e300, "", " ", "a", "x" * 500, "客服", "：", "30m", "2wd", "3d", "80%",
    "case.opened", "role:supervisor", "role:nobody", "assignee", "always", "office", "2026-02-30", "due + 2h",
    "start - 1h", "2026-03-02T09:00:00", "24:00", "*", "\u202e", [], {}, [[]], [{}], {"": ""}, {"param": "wait"},
    {"param": 1}, {"param": []}, {"each": "x"}, [None], ["a", "a"], {"any": []}, {"not": {"not": {}}}, {"id": "x"},
    ["case.opened", None], {"on": "case.opened"},
)  # fmt: skip


def mutated(text: str, dice: Random) -> bytes:
    """The text with one to three mutations, of its letters or of its tree; not always well-formed UTF-8."""
    if dice.random() < 0.5:
        content = text
        for _ in range(dice.choice((1, 1, 1, 2, 3))):
            content = dice.choice(_TEXT)(content, dice)
        data = content.encode("utf-8", "surrogatepass")
        return _bytes(data, dice) if dice.random() < 0.08 else data
    trees = [copy.deepcopy(tree) for tree in parsed(text)]
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        tree = dice.choice(trees)
        _mutate_tree(tree, dice)
    # JSON is YAML: the tree is written as it is, whatever its keys and values hold.
    return "\n---\n".join(
        json.dumps(tree, ensure_ascii=dice.random() < 0.1, indent=1) for tree in trees
    ).encode("utf-8", "surrogatepass")


_parsed: dict[str, list[Any]] = {}


def parsed(text: str) -> list[Any]:
    """The trees of the documents of a sound text."""
    if text not in _parsed:
        from duly.documents import load

        _parsed[text] = json.loads(
            json.dumps([document.data for document in load(text, "sound.yaml")[0]], default=str)
        )
    return _parsed[text]


def _lines(text: str, dice: Random) -> tuple[list[str], int]:
    lines = text.split("\n")
    return lines, dice.randrange(len(lines))


def _delete_line(text: str, dice: Random) -> str:
    lines, at = _lines(text, dice)
    del lines[at]
    return "\n".join(lines)


def _double_line(text: str, dice: Random) -> str:
    lines, at = _lines(text, dice)
    lines.insert(at, lines[at])
    return "\n".join(lines)


def _swap_lines(text: str, dice: Random) -> str:
    lines, at = _lines(text, dice)
    other = dice.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines)


def _indent(text: str, dice: Random) -> str:
    lines, at = _lines(text, dice)
    lines[at] = (
        dice.choice((" ", "  ", "\t", "    ", "　")) + lines[at]
        if dice.random() < 0.5
        else lines[at].lstrip()
    )
    return "\n".join(lines)


def _cut(text: str, dice: Random) -> str:
    at = dice.randrange(len(text))
    return text[:at] if dice.random() < 0.2 else text[:at] + text[at + dice.randrange(1, 12) :]


def _insert(text: str, dice: Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(SIGNS) + text[at:]


def _replace(text: str, dice: Random) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(SIGNS) + text[at + 1 :]


def _repeat(text: str, dice: Random) -> str:
    start = dice.randrange(len(text))
    return text + text[start : start + dice.randrange(1, 400)] * dice.choice((1, 2, 30))


def _nest(text: str, dice: Random) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice("[{") * dice.choice((3, 70, 3_000)) + text[at:]


_TEXT = (
    _delete_line,
    _double_line,
    _swap_lines,
    _indent,
    _cut,
    _cut,
    _insert,
    _insert,
    _insert,
    _replace,
    _repeat,
    _nest,
)


def _bytes(data: bytes, dice: Random) -> bytes:
    changed = bytearray(data or b" ")
    for _ in range(dice.randrange(1, 6)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def _places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container of a tree with every key or position in it."""
    found: list[tuple[Any, Any]] = []
    waiting = [tree]
    while waiting:
        each = waiting.pop()
        items = (
            list(each.items())
            if isinstance(each, dict)
            else list(enumerate(each))
            if isinstance(each, list)
            else []
        )
        for key, value in items:
            found.append((each, key))
            waiting.append(value)
    return found


def _mutate_tree(tree: Any, dice: Random) -> None:
    places = _places(tree)
    if not places:
        return
    box, key = dice.choice(places)
    deed = dice.randrange(8)
    if deed == 0:
        del box[key]
    elif deed == 1 and isinstance(box, dict):
        box[dice.choice((str(key) + "s", str(key)[:-1], str(key).upper(), "x", "id", "when", "客服", ""))] = (
            box.pop(key)
        )
    elif deed == 2 and isinstance(box, list):
        box.insert(key, copy.deepcopy(box[key]))
    elif deed == 3:
        other, name = dice.choice(places)
        box[key] = (
            copy.deepcopy(other[name])
            if name in other or (isinstance(other, list) and name < len(other))
            else None
        )
    elif deed == 4:
        box[key] = _deep(box[key], dice)
    elif deed == 5 and isinstance(box[key], str):
        box[key] = _slip(box[key], dice)
    elif deed == 6 and isinstance(box, dict):
        box[dice.choice(("x", "param", "when", "source", "id", "calendar", "none"))] = copy.deepcopy(
            dice.choice(VALUES)
        )
    else:
        box[key] = copy.deepcopy(dice.choice(VALUES))


def _deep(value: Any, dice: Random) -> Any:
    wrap = dice.choice(("list", "any", "not", "x"))
    for _ in range(dice.choice((1, 2, 40, 80))):
        value = [value] if wrap == "list" else {"any": [value]} if wrap == "any" else {wrap: value}
    return value


def _slip(text: str, dice: Random) -> str:
    """A slip of a finger: a letter too many, too few, or another."""
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(("", "x", "：", " ", "9", "%", "-", "é")) + text[at + dice.randrange(2) :]
