"""Templates: what people are told, in their language, and safe in whatever it stands in."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duly.calendars.localtime import Zone
from duly.sinks import templates, texts
from duly.sinks.base import Escape, Message, Misconfigured
from duly.sinks.templates import Template, default, localized, of_policy, read, render
from duly.validation import read as schema

Make = Callable[..., Message]
TYPES = schema("action")["properties"]["type"]["enum"]
SHANGHAI = Zone("Asia/Shanghai", (), (8 * 3600,))
NASTY = "<b onclick='x'>&\"*_[a](b)`|\\#\r\n\x1b\u202e{case}"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("type", TYPES)
def test_every_action_has_its_texts(make: Make, type: str, lang: str) -> None:
    """Each type of action has a title and a text in both languages, and each is written in its own."""
    data = {"to": ["role:supervisor"], "people": ["person:lin"], "task": "review", "event": "case.closed",
            "missing": ["severity"], "type": "notify", "fields": {"tier": "vip"}, "case": "C-2", "ladder": "response",
            "approval": "release", "survey": "follow-up", "recommend": "credit"}  # fmt: skip
    action = {**make().actions[0], "type": type, "data": data, "duty": "report", "survey": "follow-up"}
    title, text = render(action, None, lang, "plain", zone=SHANGHAI)
    assert title
    assert text
    assert "{" not in title + text
    assert templates.MISSING not in title
    chinese = any("\u4e00" <= sign <= "\u9fff" for sign in title + text)
    assert (lang == "zh") == chinese


def test_all_types_are_known() -> None:
    """No text is kept for a type that there is not."""
    assert set(texts.TEXTS) == set(TYPES)


@pytest.mark.parametrize(
    ("template", "shown"),
    [
        ("{case}", "C-1001"),
        ("{{case}} {{{case}}}", "{case} {C-1001}"),
        ("{clock}: {cycle}", "first_response: 1"),
        ("{people} / {to}", "person:lin / role:supervisor"),
        ("{subject}", "系统故障"),
        ("{customer.name}", "林女士"),
        ("{flat.key}", "平"),
        ("{type} {action.type}", "complaint notify"),
        ("{nothing}", "—"),
        ("{case.deeper}", "—"),
        ("a\n{nothing}\nb {nothing}{case}\n{due_by}", "a\nb —C-1001"),
        ("{at}", "2026-03-02 09:05"),
        ("{when}", "2026-03-02 07:00"),
        ("{urgent} {amount} {share}", "是 3 0.5"),
        ("{title}", "中文"),
        ("{lines}", "一\n二"),
        ("{list}", "a、b、c"),
        ("{map}", "a: 1"),
        ("{empty}", "—"),
        ("{ case }", "{ case }"),
        ("{0} {} {a b}", "{0} {} {a b}"),
        ("{case.__class__.__init__.__globals__} {action.policy.set}", "— support"),
        ("{action.data.people}", "person:lin"),
        ("项目{字段}", "项目值"),
    ],
)
def test_placeholders(make: Make, template: str, shown: str) -> None:
    """A placeholder shows what it names, whatever sort of value that is; nothing else is read or run."""
    fields = {
        "subject": "系统故障", "customer": {"name": "林女士"}, "flat.key": "平", "type": "complaint",
        "when": "2026-03-01T23:00:00Z", "urgent": True, "amount": 3.0, "share": 0.5, "lines": "一\n二",
        "title": {"zh": "中文", "en": "English"}, "list": ["a", "b", "c"], "map": {"a": 1}, "empty": "", "字段": "值",
    }  # fmt: skip
    assert shown == render(make().actions[0], Template(template), "zh-CN", "plain", fields, SHANGHAI)[1]


@pytest.mark.parametrize(
    ("escape", "markup", "template", "shown"),
    [
        ("plain", "plain", "<{x}>", "<<b>&*>"),
        ("html", "plain", "<{x}>\n.", "&lt;&lt;b&gt;&amp;*&gt;<br>\n."),
        ("html", "html", "<p>{x}</p>", "<p>&lt;b&gt;&amp;*</p>"),
        ("markdown", "plain", "# {x}\n.", "\\# \\<b\\>\\&\\*  \n."),
        ("markdown", "markdown", "**{x}**", "**\\<b\\>\\&\\***"),
        ("json", "json", '{"text": {"content": "{y}"}}', '{"text": {"content": "\\"\\n"}}'),
        ("json", "plain", "{y}", '\\"\\n'),
    ],
)
def test_escaping(make: Make, escape: Escape, markup: Escape, template: str, shown: str) -> None:
    """A plain template is escaped as a whole, one in the sink's own markup has its values escaped."""
    values = {"x": "<b>&*", "y": '"\n'}
    assert shown == render(make().actions[0], Template(template, "", markup), "en", escape, values)[1]


def test_markup_that_does_not_suit(make: Make) -> None:
    """HTML goes to no sink that wants another markup."""
    with pytest.raises(Misconfigured, match="html does not suit a sink that wants markdown"):
        render(make().actions[0], Template("<p>", "", "html"), "en", "markdown")


class Tags(HTMLParser):
    """The tags of a text, and what stands between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(deadline=None)
@given(st.text() | st.just(NASTY))
def test_no_value_gets_out(value: str) -> None:
    """Whatever a value says, it stays a value: no tag, no end of a JSON text, no second line of a title."""
    action = {"type": "notify", "case": value, "at": "2026-03-02T01:05:00Z", "data": {}}
    template = Template("<i>{case}</i>", "{case}", "html")
    title, text = render(action, template, "en", "html")
    assert ["i"] == Tags(text).tags
    assert not any(sign in title for sign in "\r\n\x1b\u202e\u2028\x85")
    written = render(action, Template('{"case": "{case}"}', "", "json"), "en", "json")[1]
    assert ["case"] == list(json.loads(written))


def test_files() -> None:
    """The ending says what a file is written in; a first line before an empty one is the title."""
    assert Template("Text\n\nmore", "Title {case}") == read("Title {case}\n\nText\n\nmore\n", "a/b.txt")
    assert Template("# Text\nmore", "", "markdown") == read("\ufeff# Text\r\nmore\r\n", "b.md")
    assert Template('{"a": "{case}"}', "", "json") == read('{"a": "{case}"}\n', "b.json")
    assert Template("<style>b {color: red}</style>", "T", "html") == read(
        "T\n\n<style>b {color: red}</style>", "b.html"
    )


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        (
            "t.txt",
            "Title\n\nCase {case\n",
            "t.txt:3: expected a placeholder such as `{case}`, found `Case {case`",
        ),
        ("t.md", "a }", "t.md:1: expected a placeholder"),
        ("t.txt", "{% if x %}", "t.txt:1: expected a placeholder"),
        ("t.txt", "a\n{action.caes}", "t.txt:2: an action has no `caes`; did you mean `case`?"),
        ("t.docx", "a", "t.docx: a template is a file that ends in one of"),
        ("t.txt", " \n", "t.txt:1: the template is empty"),
    ],
)
def test_files_that_are_wrong(file: str, content: str, says: str) -> None:
    """What is wrong in a template is told with file and line."""
    with pytest.raises(Misconfigured) as caught:
        read(content, file)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(
    ("lang", "shown"),
    [
        ("zh", "中"),
        ("zh-CN", "中"),
        ("zh-TW", "繁"),
        ("en-GB", "e"),
        ("de", "e"),
        ("fr-CA", "f"),
        ("fr", "f"),
    ],
)
def test_languages(lang: str, shown: str) -> None:
    """A text is taken in the language asked for, else in its neighbour, else in English, else in the first."""
    text = {"zh": "中", "zh-TW": "繁", "en": "e", "fr-FR": "f"}
    assert shown == localized(text, lang)
    assert Template(shown) == of_policy(text, lang)
    assert "一" == localized({"zh": "一"}, lang)
    assert "any" == localized("any", lang)
    assert (
        default("notify", "zh")
        == default("notify", "zh-CN")
        != default("notify", "de")
        == default("notify", "en")
    )
