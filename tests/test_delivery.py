"""Delivery: from the outbox into sinks, over a clock that the tests turn."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from deliveries import GONE, World, action
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from duly.hosts.delivery.retry import SCHEDULE
from duly.instants import HOUR, MINUTE, SECOND
from duly.sinks.base import Receipt

CHAT = {"sinks": {"chat": {"type": "console"}}}
EXACT = {"jitter": "0%"}


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Any]:
    """Makes worlds, and takes them down."""
    made: list[World] = []

    def world(spec: dict[str, Any], **places: Any) -> World:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        found = World(folder, spec, **places)
        assert found.faults == []
        made.append(found)
        return found

    yield world
    for each in made:
        each.close()


def test_what_is_given_out_is_delivered_in_order(worlds: Any) -> None:
    """A sink gets everything given out, once, with what the action says."""
    world = worlds(CHAT)
    world.give(*(action(f"a{number}", to=["person:林"]) for number in range(120)))
    world.run()
    taken = [message for _, message in world.sinks["chat"].taken]
    assert [f"a{number}" for number in range(120)] == [message.id for message in taken]
    assert [("person:林", "")] == taken[0].recipients
    assert (1, "notify") == (taken[0].attempt, taken[0].title)
    assert world.store.outlets()["chat"].delivered == 120
    assert world.counts == {("chat", "delivered"): 120}
    world.run()
    assert len(world.sinks["chat"].taken) == 120


def test_a_message_that_fails_follows_the_published_schedule(worlds: Any) -> None:
    """It is tried ten times, at the published moments, and then is a dead letter that says why."""
    world = worlds({"sinks": {"chat": {"type": "console", "retry": EXACT}}})
    world.sinks["chat"].down = True
    begun = world.clock.now()
    world.give(action("a"))
    world.run()
    moments = [begun]
    for wait in SCHEDULE:
        moments.append(moments[-1] + wait)
    assert [("a", moment) for moment in moments] == world.sinks["chat"].tried
    assert [message.attempt for call in world.sinks["chat"].calls for message in call] == list(range(1, 11))
    [(sink, letter)] = world.store.parcels("chat", "dead")
    assert (sink, letter.attempt) == ("chat", 10)
    assert letter.reason == "given up after 10 attempts, of 2026-03-02T09:00:00Z: connection refused"


def test_a_schedule_of_its_own(worlds: Any) -> None:
    """A sink may have other waits, shorter than the pause of one that is down."""
    world = worlds({"sinks": {"chat": {"type": "console", "retry": {"after": ["1s", "1s"], **EXACT}}}})
    world.sinks["chat"].down = True
    begun = world.clock.now()
    world.give(action("a"))
    world.run()
    assert [begun, begun + SECOND, begun + 2 * SECOND] == [moment for _, moment in world.sinks["chat"].tried]


def test_it_waits_as_long_as_the_other_side_asks(worlds: Any) -> None:
    """Retry-After holds up everything for the sink, not only the message it was said of."""
    world = worlds({"sinks": {"chat": {"type": "console", "retry": EXACT}}})
    sink = world.sinks["chat"]
    sink.answer = Receipt("failed", "429 Too Many Requests", after_seconds=90)
    begun = world.clock.now()
    world.give(action("a", to=["person:1"]))
    world.run(30)
    sink.answer = None
    world.give(action("b", to=["person:2"]))
    world.run(300)
    assert [("a", begun), ("a", begun + 90 * SECOND), ("b", begun + 90 * SECOND)] == sink.tried


@pytest.mark.parametrize("atomic", [False, True])
def test_a_sink_that_is_down_for_long_loses_nothing(worlds: Any, atomic: bool) -> None:
    """Back after an hour, it gets everything within two minutes, to each recipient in order, and once."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.atomic = atomic
    sink.down = True
    ids = []
    for number in range(240):
        ids.append(f"a{number}")
        world.give(action(ids[-1], to=[f"person:{number % 3}"]))
        world.run(15)
    assert [] == sink.ids
    assert len(sink.tried) < 400
    sink.down = False
    world.run(120)
    assert sorted(ids) == sorted(sink.ids)
    for line in range(3):
        assert ids[line::3] == [id for id in sink.ids if int(id[1:]) % 3 == line]
    assert [] == world.store.parcels("chat", "dead")


def test_the_only_recipient_keeps_his_order_over_an_outage(worlds: Any) -> None:
    """Where there is one line alone, what comes later tells that the sink is back, and goes out after the first."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.down = True
    world.give(action("a0"), action("a1"), action("a2"))
    world.run(2 * 3600)
    sink.down = False
    world.give(action("a3"))
    world.run(60)
    assert ["a0", "a1", "a2", "a3"] == sink.ids


def test_it_goes_on_in_order_after_a_restart_in_an_outage(worlds: Any) -> None:
    """What a courier has learned may be forgotten: order and completeness do not depend on it."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.down = True
    for number in range(30):
        world.give(action(f"a{number}", to=[f"person:{number % 2}"]))
        world.run(100)
        world.restart()
    sink.down = False
    world.run(120)
    for line in range(2):
        assert [f"a{number}" for number in range(line, 30, 2)] == [
            id for id in sink.ids if int(id[1:]) % 2 == line
        ]


@pytest.mark.parametrize("atomic", [False, True])
def test_a_poisonous_message_does_not_hold_up_others(worlds: Any, atomic: bool) -> None:
    """One that always fails ends as a dead letter by its schedule; all others go out soon, also its recipient's."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.atomic = atomic
    sink.poison = {"a3"}
    late = 0
    for number in range(60):
        world.give(action(f"a{number}", to=[f"person:{number % 3}"]))
        world.run(60)
        if number % 3 != 0:
            expected = [f"a{each}" for each in range(number + 1) if each % 3 and each != 3]
            late += expected != [id for id in sink.ids if int(id[1:]) % 3]
    assert late <= (3 if atomic else 0)
    world.run(600)
    assert sorted(f"a{each}" for each in range(60) if each != 3) == sorted(sink.ids)
    attempts = len([id for id, _ in sink.tried if id == "a3"])
    assert attempts < 20
    world.run()
    assert ["a3"] == [parcel_id(world, each) for _, each in world.store.parcels("chat", "dead")]
    [(_, letter)] = world.store.parcels("chat", "dead")
    assert letter.attempt == 10


def parcel_id(world: World, parcel: Any) -> str:
    import orjson

    return str(orjson.loads(parcel.body)["id"])


def test_nothing_overtakes_one_that_fails_once(worlds: Any) -> None:
    """A recipient's next message waits for the one before it, though the sink takes those of others."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.poison = {"a"}
    world.give(action("a"), action("b"), action("c", to=["person:wu"]))
    world.run(1)
    assert ["c"] == sink.ids
    sink.poison = set()
    world.run(60)
    assert ["c", "a", "b"] == sink.ids


def test_what_is_refused_is_a_dead_letter_at_once(worlds: Any) -> None:
    """Trying again would not change it; the reason of the other side is kept."""
    world = worlds(CHAT)
    world.sinks["chat"].refuses = {"b"}
    world.give(action("a"), action("b"), action("c"))
    world.run()
    assert ["a", "c"] == world.sinks["chat"].ids
    assert {("chat", "dead")} == world.fates()["b"]
    [(_, letter)] = world.store.parcels("chat", "dead")
    assert letter.reason == "400 Bad Request"
    assert world.counts == {("chat", "delivered"): 2, ("chat", "refused"): 1, ("chat", "dead"): 1}
    assert world.store.outlets()["chat"].error == "400 Bad Request"


def test_dead_letters_live_again(worlds: Any) -> None:
    """An operator lets them be tried again: all, or some of them, from the first attempt on."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.refuses = {"a", "b"}
    world.give(action("a"), action("b"))
    world.run()
    first = world.store.parcels("chat", "dead")[0][1]
    sink.refuses = set()
    assert world.store.revive("chat", [(first.shard, first.seq)], world.clock.now()) == 1
    world.run()
    assert ["a"] == sink.ids
    assert world.store.revive("chat", None, world.clock.now()) == 1
    world.run()
    assert ["a", "b"] == sink.ids
    assert [] == world.store.parcels("chat", "dead")


def test_what_is_given_up_goes_to_the_fallback(worlds: Any) -> None:
    """Refused or failed for good, it is handed on, whatever the other takes by itself; the chain ends."""
    world = worlds({
        "sinks": {
            "chat": {"type": "console", "fallback": "mail"},
            "mail": {"type": "console", "only": ["message"], "fallback": "log"},
            "log": {"type": "console"},
        }
    })  # fmt: skip
    world.sinks["chat"].refuses = {"a", "m"}
    world.sinks["mail"].refuses = {"a"}
    world.give(action("a"), action("b"), action("m", "message"))
    world.run()
    assert ["b"] == world.sinks["chat"].ids
    assert ["m"] == world.sinks["mail"].ids
    assert ["a"] == world.sinks["log"].ids
    # What the fallback has anyway is not handed to it again.
    assert [("chat", "400 Bad Request; `mail` has it by its own rule")] == [
        (sink, letter.reason) for sink, letter in world.store.parcels(None, "dead")
    ]


def test_a_sink_that_is_gone_is_switched_off(worlds: Any) -> None:
    """After a 410 nothing is sent until an operator enables it; then everything goes out, in order."""
    world = worlds(CHAT)
    sink = world.sinks["chat"]
    sink.answer = GONE
    world.give(action("a", to=["person:1"]), action("b", to=["person:1"]), action("c", to=["person:2"]))
    world.run()
    calls = len(sink.calls)
    assert world.store.outlets()["chat"].disabled == "410 Gone"
    world.restart()
    world.give(action("d"))
    world.run(3600)
    assert len(sink.calls) == calls
    sink.answer = None
    assert world.store.enable("chat")
    world.run(60)
    assert sorted("abcd") == sorted(sink.ids)
    assert sink.ids.index("a") < sink.ids.index("b")
    assert set() == {fate for fates in world.fates().values() for fate in fates if fate[1] != "delivered"}


def test_the_fallback_stands_in_for_a_sink_that_is_gone(worlds: Any) -> None:
    """What was for it goes to the fallback, also what comes later; what it never wanted does not."""
    world = worlds({"sinks": {"chat": {"type": "console", "only": ["notify"], "fallback": "mail"},
                              "mail": {"type": "console"}}})  # fmt: skip
    world.sinks["chat"].answer = GONE
    world.give(action("a"), action("t", "task"))
    world.run()
    world.give(action("b"))
    world.run()
    assert ["a", "b"] == world.sinks["mail"].ids
    assert world.store.parcels("mail", "dead") == []
    assert (0, 0, 0, 0, 0, 0) == world.store.depth("chat")


def test_the_same_id_comes_again_after_a_crash(worlds: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a process dies between delivering and settling, all is delivered again, under the same ids."""
    world = worlds(
        {"sinks": {"chat": {"type": "console", "bundle": {"within": "5m"}}, "log": {"type": "console"}}}
    )
    sent = [action("a"), action("b"), action("c", "clock.breached", ())]
    world.give(*sent)
    world.run(1)

    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    world.clock.advance(300)
    for name in ("chat", "log"):
        world.give(action(f"x-{name}", "clock.met", ()))
        with monkeypatch.context() as patch:
            patch.setattr(type(world.store), "settle", die)
            with pytest.raises(Killed):
                world.courier(name).round()
        world.restart()
    world.run()
    for sink in world.sinks.values():
        ids = [message.id for _, message in sink.taken]
        assert len(set(ids)) < len(ids)
        assert {each["id"] for each in sent} <= set(sink.ids)
    bundled = [message.id for _, message in world.sinks["chat"].taken if len(message.actions) == 2]
    assert len(bundled) == 2
    assert len(set(bundled)) == 1


def test_who_begins_later_gets_what_is_given_out_later(worlds: Any) -> None:
    """A sink added to a configuration has no business with the past."""
    world = worlds(CHAT)
    world.give(action("a"))
    world.store.subscribe(["chat", "new"])
    world.give(action("b"))
    assert ["b"] == [parcel_id(world, each) for each in world.store.outgoing("new", world.clock.now(), 10)]


def test_bundles(worlds: Any) -> None:
    """Messages for one recipient within five minutes become one; facts and cancellations do not wait."""
    world = worlds({"sinks": {"chat": {"type": "console", "bundle": {"within": "5m", "by": "recipient"}}}})
    sink = world.sinks["chat"]
    begun = world.clock.now()
    world.give(action("a"), action("x", to=["person:wu"]))
    world.run(60)
    world.give(action("b"), action("f", "clock.breached", ()), action("e", "escalation.cancelled", ()))
    world.run(60)
    world.give(action("c"))
    world.run(600)
    assert [
        (begun + MINUTE, ["f"]), (begun + MINUTE, ["e"]),
        (begun + 5 * MINUTE, ["a", "b", "c"]), (begun + 5 * MINUTE, ["x"]),
    ] == [(moment, [each["id"] for each in message.actions]) for moment, message in sink.taken]  # fmt: skip
    ids = [message.id for _, message in sink.taken]
    assert ids[3] == "x"
    assert ids[2] not in ("a", "b", "c")
    assert [("person:lin", "")] == sink.taken[2][1].recipients


def test_a_bundle_stays_the_same_bundle_until_it_is_delivered(worlds: Any) -> None:
    """A bundle that fails is tried again as it was, with its id, over restarts; what comes later is another."""
    world = worlds({"sinks": {"chat": {"type": "console", "bundle": {"within": "5m"}}}})
    sink = world.sinks["chat"]
    sink.down = True
    world.give(*(action(f"a{number}") for number in range(3)))
    for _ in range(8):
        world.run(100)
        world.restart()
        world.give(action(f"b{_}"))
    sink.down = False
    world.run(3600)
    bundles: dict[str, set[tuple[str, ...]]] = {}
    for call in sink.calls:
        for message in call:
            bundles.setdefault(message.id, set()).add(tuple(each["id"] for each in message.actions))
    assert all(len(contents) == 1 for contents in bundles.values())
    assert ["a0", "a1", "a2"] == sink.ids[:3]
    assert sorted(sink.ids) == sorted({*(f"a{n}" for n in range(3)), *(f"b{n}" for n in range(8))})


def test_large_bundles_are_not_cut_in_two(worlds: Any) -> None:
    """However many messages there are, each goes out once, in bundles of at most a hundred."""
    world = worlds({"sinks": {"chat": {"type": "console", "bundle": {"within": "5m"}}}})
    for start in range(0, 450, 50):
        world.give(
            *(action(f"a{number}", to=[f"person:{number % 2}"]) for number in range(start, start + 50))
        )
    world.run()
    sink = world.sinks["chat"]
    assert sorted(f"a{number}" for number in range(450)) == sorted(sink.ids)
    assert sorted([100, 100, 25] * 2) == sorted(len(each.actions) for _, each in sink.taken)


def test_quiet_hours_put_off_and_never_drop(worlds: Any) -> None:
    """What comes at night is told in the morning, in order; what takes back, and what is urgent, goes at once."""
    world = worlds({
        "sinks": {"chat": {"type": "console", "quiet": {"calendar": "office", "through": ["high"]}}},
        "quiet_hours": {"person:wu": {"calendar": "office"}},
    }, start="2026-03-02T22:00:00Z")  # fmt: skip
    sink = world.sinks["chat"]
    begun = world.clock.now()
    world.give(
        action("a"), action("urgent", data={"severity": "high"}), action("fact", "clock.breached", ()),
        action("end", "escalation.cancelled", ()), action("b"),
        action("wu", to=["person:wu"], data={"severity": "high"}),
    )  # fmt: skip
    world.run(60)
    assert ["urgent", "fact", "end"] == sink.ids
    assert {"chat"} == {name for name, _ in world.store.parcels(None, "deferred")}
    assert world.store.next_out("chat") == begun + 10 * HOUR
    world.restart()
    world.run(11 * 3600)
    assert ["urgent", "fact", "end", "a", "wu", "b"] == sink.ids
    assert {begun + 10 * HOUR} == {moment for moment, _ in sink.taken[3:]}


def test_what_was_cancelled_while_it_waited_is_not_sent(worlds: Any) -> None:
    """A put-off message whose action was taken back, or whose clock has ended, is recorded as moot, with the reason."""
    world = worlds(
        {"sinks": {"chat": {"type": "console", "quiet": {"calendar": "office"}}}},
        start="2026-03-02T22:00:00Z",
    )
    step: dict[str, Any] = {"ladder": "response", "clock": "first_response", "cycle": 1}
    world.give(action("a"), action("b"), action("c", **step), action("d", **{**step, "cycle": 2}))
    world.run(60)
    world.give(
        action(
            "x", "action.cancelled", (), data={"cancels": "a", "type": "notify"}, at="2026-03-02T22:05:00Z"
        ),
        action("met", "clock.met", (), clock="first_response", cycle=1, at="2026-03-02T22:06:00Z"),
    )
    world.run(60)
    assert ["x", "met"] == world.sinks["chat"].ids
    world.run()
    assert ["x", "met", "b", "d"] == world.sinks["chat"].ids
    assert [
        ("a", "cancelled at 2026-03-02T22:05:00Z (test)"),
        ("c", "`first_response` ended at 2026-03-02T22:06:00Z (clock.met)"),
    ] == [(parcel_id(world, each), each.reason) for _, each in world.store.parcels("chat", "moot")]


def test_what_is_taken_back_is_told_to_whom_it_was_told(worlds: Any) -> None:
    """An `action.cancelled` follows what it cancels: the same sink, the same recipient."""
    world = worlds({
        "sinks": {"mail": {"type": "console", "only": ["notify"]}, "sms": {"type": "console", "only": ["notify"]}},
        "deliver": [{"when": {"to": ["person:lin"]}, "sinks": ["mail"]}, {"when": {"to": ["*"]}, "sinks": ["sms"]}],
        "addresses": {"person:lin": {"mail": "lin@example.com"}},
    })  # fmt: skip
    world.give(action("a"))
    world.run(60)
    world.give(action("x", "action.cancelled", (), data={"cancels": "a", "type": "notify"}))
    world.run()
    assert ["a", "x"] == world.sinks["mail"].ids
    assert [] == world.sinks["sms"].ids
    assert [("person:lin", "lin@example.com")] == world.sinks["mail"].taken[1][1].recipients


def test_limits_of_a_recipient_and_of_a_sink(worlds: Any) -> None:
    """What is more than the limit waits its turn, in order; a recipient's limit holds up nobody else."""
    world = worlds({"sinks": {"chat": {"type": "console", "limits": {
        "recipient": {"most": 2, "per": "10m"}, "sink": {"most": 10, "per": "1m"}}}}})  # fmt: skip
    sink = world.sinks["chat"]
    begun = world.clock.now()
    world.give(*(action(f"a{number}") for number in range(6)), action("z", to=["person:wu"]))
    world.run(60)
    assert ["a0", "z", "a1"] == sink.ids
    world.restart()
    world.run(3600)
    assert ["a0", "z", "a1", "a2", "a3", "a4", "a5"] == sink.ids
    minutes = [(moment - begun) // MINUTE for moment, _ in sink.taken]
    assert [0, 0, 0, 10, 10, 20, 20] == minutes
    world.give(*(action(f"f{number}", "clock.met", ()) for number in range(25)))
    begun = world.clock.now()
    world.run(600)
    moments = [(moment - begun) // MINUTE for moment, _ in sink.taken[7:]]
    assert [0] * 10 + [1] * 10 + [2] * 5 == moments


def test_addressed_sinks_send_each_recipient_his_own(worlds: Any) -> None:
    """Each has a message and a fate of his own: one bad address costs nobody else his mail, or gets it twice."""
    world = worlds({
        "sinks": {"mail": {"type": "console", "fallback": "log"}, "log": {"type": "console"}},
        "addresses": {"person:lin": {"mail": "lin@example.com"}, "person:wu": {"mail": "wu@example.com"}},
    })  # fmt: skip
    mail = world.sinks["mail"]
    mail.addressed = True
    world.give(action("a", to=["person:lin", "person:wu", "person:nobody"]), action("b", to=["person:lin"]))
    world.run()
    assert [("a", "lin@example.com"), ("a", "wu@example.com"), ("b", "lin@example.com")] == [
        (message.actions[0]["id"], message.recipients[0][1]) for _, message in mail.taken
    ]
    ids = [message.id for _, message in mail.taken]
    assert len(set(ids)) == 3
    assert ids[2] == "b"
    [(_, handed)] = world.sinks["log"].taken
    assert [("person:nobody", "")] == handed.recipients


def test_nobody_known_is_a_dead_letter_that_says_so(worlds: Any) -> None:
    """Without an address, and without one for the sink, it says what to add; with one it goes there."""
    spec: dict[str, Any] = {"sinks": {"mail": {"type": "console"}}}
    world = worlds(spec)
    world.sinks["mail"].addressed = True
    world.give(action("a"), action("f", "clock.breached", ()))
    world.run()
    assert [
        (
            "no address of `person:lin` is known: give it one under `addresses`, or the sink `mail` an `address` for "
            "whoever has none"
        ),
        "`clock.breached` names nobody, and the sink `mail` has no `address` of its own",
    ] == [letter.reason for _, letter in world.store.parcels("mail", "dead")]
    world = worlds({"sinks": {"mail": {"type": "console", "address": "desk@example.com"}}})
    world.sinks["mail"].addressed = True
    world.give(action("a"), action("f", "clock.breached", ()))
    world.run()
    assert [[("person:lin", "desk@example.com")], [("", "desk@example.com")]] == [
        list(message.recipients) for _, message in world.sinks["mail"].taken
    ]


@pytest.mark.parametrize(("mode", "sends"), [("dry_run", []), ({"pilot": {"sinks": ["chat"]}}, ["chat"])])
def test_dry_run_and_pilot_record_and_do_not_send(worlds: Any, mode: Any, sends: list[str]) -> None:
    """Everything that would have gone out is kept as withheld, with the reason; what nobody wants is not."""
    world = worlds({"mode": mode, "sinks": {"chat": {"type": "console", "only": ["notify"]},
                                            "mail": {"type": "console", "only": ["notify"]}}})  # fmt: skip
    world.give(action("a"), action("t", "task"), action("b"))
    world.run()
    for name, sink in world.sinks.items():
        kept = [(parcel_id(world, each), each.reason) for _, each in world.store.parcels(name, "withheld")]
        if name in sends:
            assert (["a", "b"], []) == (sink.ids, kept)
        else:
            reason = "dry run" if mode == "dry_run" else "not one of the pilot's sinks"
            assert ([], [("a", reason), ("b", reason)]) == (sink.calls, kept)
            assert world.store.depth(name).withheld == 2


def test_rubbish_from_sinks_and_templates(worlds: Any) -> None:
    """Exceptions, too few receipts, texts that cannot be written: each has its reason, and nothing stops."""
    world = worlds({"sinks": {"chat": {"type": "console", "retry": {"after": []}}}})
    sink = world.sinks["chat"]
    whole = sink.deliver
    answers: Any = [ValueError("token=s3cret\x1b[31m\nboom"), [], None]

    def deliver(messages: Any) -> Any:
        answer = answers.pop(0) if answers else whole(messages)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sink.deliver = deliver

    def render(name: str, actions: Any) -> tuple[str, str]:
        if actions[0]["id"] == "untellable":
            raise KeyError("title")
        return "", ""

    around = replace(world.around(), render=render, mask=lambda text: text.replace("s3cret", "***"))
    world.around = lambda: around
    for id in ("raises", "none", "null", "untellable", "fine"):
        world.give(action(id))
        world.run(120)
    assert ["fine"] == sink.ids
    assert [
        ("raises", "given up after 1 attempts, of 2026-03-02T09:00:00Z: ValueError: token=*** [31m boom"),
        (
            "none",
            "given up after 1 attempts, of 2026-03-02T09:00:00Z: the sink gave 0 receipts for 1 messages",
        ),
        (
            "null",
            "given up after 1 attempts, of 2026-03-02T09:00:00Z: TypeError: 'NoneType' object is not iterable",
        ),
        ("untellable", "cannot be written: KeyError: 'title'"),
    ] == [(parcel_id(world, each), each.reason) for _, each in world.store.parcels("chat", "dead")]


TYPES = [
    "notify",
    "message",
    "task",
    "clock.breached",
    "clock.met",
    "action.cancelled",
    "escalation.cancelled",
]
SPECS = st.fixed_dictionaries({
    "sinks": st.fixed_dictionaries({
        "a": st.fixed_dictionaries({"type": st.just("console")}, optional={
            "fallback": st.just("b"), "only": st.just(["notify", "clock.*"]), "bundle": st.just({"within": "3m"}),
            "quiet": st.just({"calendar": "office"}), "limits": st.just({"recipient": {"most": 1, "per": "5m"}}),
            "address": st.just("desk"), "retry": st.just({"after": ["5s", "1m"]}),
        }),
        "b": st.fixed_dictionaries({"type": st.just("console")}, optional={
            "fallback": st.just("c"), "address": st.just("desk"), "limits": st.just({"sink": {"most": 2, "per": "1m"}}),
        }),
        "c": st.just({"type": "console"}),
    }),
    "deliver": st.lists(st.sampled_from([
        {"when": {"type": ["notify"]}, "sinks": ["a"]},
        {"when": {"severity": ["high"]}, "sinks": ["a", "b"], "also": True},
        {"when": {"type": ["task"]}, "sinks": []}, {"when": {"to": ["person:1"]}, "sinks": ["c"]},
    ]), max_size=3),
    "addresses": st.just({"person:0": {"a": "0@x", "b": "0@x"}, "person:1": {"b": "1@x"}}),
    "mode": st.sampled_from(["live", "live", "dry_run", {"pilot": {"sinks": ["b"]}}]),
})  # fmt: skip
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["give", "give", "give", "down", "up", "gone", "refuse", "restart", "wait"]),
        st.integers(0, 11), st.sampled_from(TYPES), st.sampled_from("ab"),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


def chain(sinks: Any, name: str) -> list[str]:
    """The fallbacks of a sink."""
    following = sinks[name].get("fallback")
    return [] if following is None else [following, *chain(sinks, following)]


@given(SPECS, STEPS, st.sampled_from(["", "atomic", "addressed"]))
@budget(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_action_ends_somewhere(spec: Any, steps: Any, sort: str) -> None:
    """In the end every action is delivered, dead with a reason, moot with a reason, withheld, or wanted by nobody;
    to each recipient what was delivered came in order but for what waited by rule.
    """
    with tempfile.TemporaryDirectory() as folder, World(Path(folder), spec) as world:
        given_out: list[dict[str, Any]] = []
        if sort:
            setattr(world.sinks["a"], sort, True)
        for number, (step, amount, type, name) in enumerate(steps):
            sink = world.sinks[name]
            if step == "give":
                people = [f"person:{each}" for each in range(amount % 3)]
                data = {"cancels": f"n{amount}", "type": "notify"} if type == "action.cancelled" else {}
                made = action(f"n{number}", type, people, data=data, ladder="l", clock="c", cycle=amount % 2)
                given_out.append(made)
                world.give(made)
            elif step in ("down", "up"):
                sink.down = step == "down"
            elif step == "gone":
                sink.answer = GONE if amount % 2 else None
            elif step == "refuse":
                sink.refuses.add(f"n{amount}")
            elif step == "restart":
                world.restart()
            world.run(amount * 400)
        for name in "abc":
            world.sinks[name].down, world.sinks[name].answer = False, None
            world.store.enable(name)
        world.run()
        fates = world.fates()
        routes = world.settings.routes
        for made in given_out:
            found = fates.pop(made["id"], set())
            wanted = set(routes.wanted(made))
            assert wanted <= {name for name, _ in found} or any(name in "bc" for name, _ in found), (
                made,
                found,
            )
            assert {"delivered", "dead", "moot", "withheld"} >= {fate for _, fate in found}
        assert fates == {}
        assert all(
            world.store.depth(name)._replace(dead=0, moot=0, withheld=0) == (0, 0, 0, 0, 0, 0)
            for name in "abc"
        )
