"""The sink `chat`: robots of DingTalk, Feishu and WeCom, which answer 200 also to what they do not take."""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import quote, quote_plus

import orjson

from duly.sinks.answers import Answer, meant
from duly.sinks.base import Escape, Message, Misconfigured, Receipt, revealed, said
from duly.sinks.posting import NETWORK, Posting
from duly.sinks.settings import SECRET, TEXT_OR_SECRET, mapping

Json = dict[str, Any]


def _dingtalk(secret: str, now: float) -> tuple[str, Json]:
    moment = str(round(now * 1000))
    sign = base64.b64encode(hmac.digest(secret.encode(), f"{moment}\n{secret}".encode(), sha256))
    return f"&timestamp={moment}&sign={quote_plus(sign)}", {}


def _feishu(secret: str, now: float) -> tuple[str, Json]:
    moment = str(int(now))
    sign = base64.b64encode(hmac.digest(f"{moment}\n{secret}".encode(), b"", sha256))
    return "", {"timestamp": moment, "sign": sign.decode()}


@dataclass(frozen=True, slots=True)
class Robot:
    """A service: the URL of a robot by its token, what is posted, and where its answer says whether it was taken.

    `signed` gives what a secret adds to the URL and to the body at an instant in seconds; `longest` is how many
    bytes of text are taken.
    """

    url: str
    text: Callable[[str], Json]
    markdown: Callable[[str, str], Json] | None
    signed: Callable[[str, float], tuple[str, Json]] | None
    longest: int
    code: str


ROBOTS = {
    "dingtalk": Robot(
        "https://oapi.dingtalk.com/robot/send?access_token={token}",
        lambda text: {"msgtype": "text", "text": {"content": text}},
        lambda title, text: {"msgtype": "markdown", "markdown": {"title": title, "text": text}},
        _dingtalk, 18_000, "errcode",
    ),
    "feishu": Robot(
        "https://open.feishu.cn/open-apis/bot/v2/hook/{token}",
        lambda text: {"msg_type": "text", "content": {"text": text}},
        None, _feishu, 18_000, "code",
    ),
    "wecom": Robot(
        "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={token}",
        lambda text: {"msgtype": "text", "text": {"content": text}},
        lambda title, text: {"msgtype": "markdown", "markdown": {"content": text}},
        None, 2_000, "errcode",
    ),
}  # fmt: skip
"""The services by their names."""


class Chat:
    """Tells one group by its robot. What the service does not take has failed, with its reason, and is told again."""

    schema = mapping(
        {
            "service": {
                "description": "The chat service whose robot it is.",
                "enum": list(ROBOTS),
                "examples": ["dingtalk"],
            },
            "token": {
                **SECRET,
                "description": "The token of the robot: what its webhook's URL ends in.",
                "examples": [{"env": "ROBOT_TOKEN"}],
            },
            "secret": {
                **SECRET,
                "description": "What messages are signed with, where the robot asks for it.",
                "examples": [{"env": "ROBOT_SECRET"}],
            },
            "format": {
                "description": "What texts are written in: `text`, which is the default, or `markdown`.",
                "enum": ["text", "markdown"],
                "examples": ["markdown"],
            },
            "url": {
                **TEXT_OR_SECRET,
                "description": "Another place that speaks as the service does; `{token}` in it is the token.",
                "examples": ["https://open.larksuite.com/open-apis/bot/v2/hook/{token}"],
            },
            **NETWORK,
        },
        required=["service", "token"],
        examples=[
            {"service": "dingtalk", "token": {"env": "ROBOT_TOKEN"}, "secret": {"env": "ROBOT_SECRET"}}
        ],
    )

    def __init__(self, settings: Mapping[str, Any], now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._robot = ROBOTS[settings["service"]]
        self.escape: Escape = "markdown" if settings.get("format") == "markdown" else "plain"
        if self.escape == "markdown" and self._robot.markdown is None:
            raise Misconfigured(f"`format`: robots of {settings['service']} take no Markdown; leave it out")
        self._secret = revealed(settings["secret"]) if "secret" in settings else None
        if self._secret is not None and self._robot.signed is None:
            raise Misconfigured(f"`secret`: robots of {settings['service']} know no signatures; leave it out")
        url = revealed(settings["url"]) if "url" in settings else self._robot.url
        self._posting = Posting(url.replace("{token}", quote(revealed(settings["token"]), safe="")), settings)

    def deliver(self, messages: Sequence[Message]) -> list[Receipt]:
        """See Sink."""
        return [self._one(message) for message in messages]

    def check(self) -> str:
        """Connect, and nothing more: no robot can be asked without the group hearing of it."""
        return self._posting.check()

    def close(self) -> None:
        """See Sink."""
        self._posting.close()

    def _one(self, message: Message) -> Receipt:
        text = message.text if message.text.startswith(message.title) else f"{message.title}\n{message.text}"
        text = _cut(text.strip(), self._robot.longest)
        if self.escape == "markdown" and self._robot.markdown is not None:
            return self._post(self._robot.markdown(message.title, text))
        return self._post(self._robot.text(text))

    def _post(self, body: Json) -> Receipt:
        more = ""
        if self._secret is not None and self._robot.signed is not None:
            more, signature = self._robot.signed(self._secret, self._now())
            body = {**signature, **body}
        return self._posting.post(orjson.dumps(body), (), self._meant, more)

    def _meant(self, answer: Answer) -> Receipt:
        """Only a body that says 0 says yes. All else may be put right, by waiting or by whoever keeps the robot."""
        if answer.status != 200:
            return meant(answer, self._now())
        try:
            told = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            told = None
        code = told.get(self._robot.code) if isinstance(told, dict) else None
        if not isinstance(code, int):
            return Receipt("failed", "the answer does not say whether the message was taken")
        if code == 0:
            return Receipt("delivered", details={"code": 0})
        text = said(told.get("errmsg") or told.get("msg") or "")
        return Receipt(
            "failed", f"{self._robot.code} {code}" + (f": {text}" if text else ""), details={"code": code}
        )


def _cut(text: str, longest: int) -> str:
    """The text as far as it is taken: in bytes, and not in the middle of a character."""
    if len(text.encode()) <= longest:
        return text
    return text.encode()[: longest - 3].decode("utf-8", "ignore") + "…"
