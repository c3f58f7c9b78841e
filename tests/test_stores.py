"""Stores: what the contract says, of SQLite and of PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from stores import action, bodies, entity, give, ids, line, save

from duly.hosts.store import open_store
from duly.hosts.store.contract import Store
from duly.hosts.store.records import HUB, Depth, Kept, Line, Out, Parcel, Reject, Settlement


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store with one shard."""
    opened = open_store(store_url, shards=1)
    yield opened
    opened.close()


# What comes in


def test_each_line_is_told_what_became_of_it(store: Store) -> None:
    """New, the same as before in whatever order of keys, or different; in one batch as in several."""
    first = line("1", "A", n=1)
    assert store.append([first, line("2", "A")]) == ["accepted", "accepted"]
    turned = Line("1", 1, "case:A", b'{"data":{"n":1},"customer":null,"case":"A","at":1,"id":"1"}', "A")
    again = [turned, line("1", "A", n=2), line("3", "A"), line("3", "A"), line("3", "B")]
    assert store.append(again) == ["duplicate", "conflict", "accepted", "duplicate", "conflict"]
    assert ids(store.history("A")) == ["1", "2", "3"]
    assert ids(store.export()) == ["1", "2", "3"]
    assert store.history("nobody") == []


def test_accepted_lines_know_their_number_and_group(store: Store) -> None:
    """Numbers rise with acceptance, and the group is that of the case."""
    store.append([line("1", "A", "K")])
    lines = [line("2", "A"), line("3", "B"), line("4"), line("5", None, "K")]
    store.append(lines)
    assert [each.group for each in lines] == ["customer:K", "case:B", "set", "customer:K"]
    assert sorted(each.seq for each in lines) == [each.seq for each in lines]
    assert lines[0].seq > 0


def test_rejects_and_notes_are_kept_with_the_lines(store: Store) -> None:
    """In order, with all they say; the latest note counts."""
    rejects = [Reject(5, "crm", "E101", "`id` is missing", b"{}"), Reject(6, "crm", "E102", "第二", b"\xff")]
    store.append([line("1", "A")], rejects, {"feed": b"10"})
    store.append([], [], {"feed": b"20", "other": b"\x00"})
    store.reject([Reject(7, "hook", "E001", "not JSON: \0 \ud800", b"")])
    found = store.rejects()
    assert [(each.at, each.origin, each.code, each.message, each.body) for each in found] == [
        (5, "crm", "E101", "`id` is missing", b"{}"),
        (6, "crm", "E102", "第二", b"\xff"),
        (7, "hook", "E001", "not JSON: ␀ ?", b""),
    ]
    assert found[1:] == store.rejects(after=found[0].seq)
    assert found[:1] == store.rejects(limit=1)
    assert (b"20", b"\x00", None) == (store.noted("feed"), store.noted("other"), store.noted("none"))


def test_a_case_of_nobody_moves_to_its_customer(store_url: str) -> None:
    """With its journal, what is pending, its entities and its actions, in whatever shard they are."""
    store = open_store(store_url, shards=4 if store_url.startswith("postgresql") else 1)
    early = [line("1", "A"), line("2", "A"), line("other", "B")]
    store.append(early)
    (here,) = {shard for shard in store.waiting(1) if "1" in ids(_pending(store, shard))}
    with store.work(here) as work:
        assert work is not None
        assert work.moved() == []
        work.taken([early[0].seq])
        work.save([entity("case:A", alarm=9)])
        work.give([action("x")])
        work.record([Line("h", 1, "case:A", b"{}", origin=HUB)])
        was = work
    late = line("3", "A", "K", at=2)
    assert store.append([late]) == ["accepted"]
    assert late.group == "customer:K"
    (there,) = {shard for shard in store.waiting(2) if "3" in ids(_pending(store, shard))}
    with store.work(there) as work:
        assert work is not None
        assert work.version > was.version or there != here
        assert [("1", False), ("2", True), ("h", False), ("3", True)] == [
            (each.id, each.pending) for each in work.journal("customer:K")
        ]
        assert ["2", "3"] == [each.id for each in work.pending(9, 9) if each.case == "A"]
        assert ["customer:K"] == work.moved()
        assert work.moved() == []
        assert ["case:A"] == list(work.keys("customer:K"))
        assert [(9, "case:A")] == work.due(9, 9)
        assert ["x"] == [out.id for out in work.standing("customer:K")]
    with store.work(there) as work:
        assert work is not None
        assert work.moved() == []
    with store.work(here) as work:
        assert work is not None
        assert work.journal("case:A") == []
        assert here == there or was.version < work.version
    assert ids(store.history("A")) == ["1", "2", "h", "3"]
    assert ["x"] == [out.id for out in store.outbox("customer:K")]
    store.close()


def _pending(store: Store, shard: int) -> list[Line]:
    with store.work(shard) as work:
        assert work is not None
        return work.pending(1 << 60, 1000)


@pytest.mark.parametrize(
    ("batches", "groups"),
    [
        ([["A", "A K"]], {"A": "customer:K"}),
        ([["A K", "A"]], {"A": "customer:K"}),
        ([["A"], ["A K"], ["A"]], {"A": "customer:K"}),
        ([["A K"], ["A L"], ["A"]], {"A": "customer:K"}),
        ([["A", "B"], ["A K", "B K"]], {"A": "customer:K", "B": "customer:K"}),
        ([["A", "B"], ["A K", "B L"]], {"A": "customer:K", "B": "customer:L"}),
    ],
)
def test_groups(store: Store, batches: list[list[str]], groups: dict[str, str]) -> None:
    """A case belongs to the first customer that is known, with all that came before."""
    number = 0
    for batch in batches:
        lines = []
        for each in batch:
            case, _, customer = each.partition(" ")
            number += 1
            lines.append(line(f"{number}", case, customer or None))
        store.append(lines)
    for case, group in groups.items():
        assert {group} == {each.group for each in store.history(case)}
    assert number == len({each.seq for each in _pending(store, 0)})


def test_a_conflict_moves_nothing(store: Store) -> None:
    """A line that is not accepted says nothing about its case."""
    store.append([line("1", "A")])
    assert store.append([line("1", "A", "K")]) == ["conflict"]
    assert {"case:A"} == {each.group for each in store.history("A")}


# The work


def test_pending_lines_come_in_order_of_time(store: Store) -> None:
    """Those up to an instant, the earliest first, then in the order of acceptance; what is taken comes no more."""
    store.append([line("1", "A", at=7), line("2", "A", at=5), line("3", "B", at=5), line("4", "B", at=9)])
    assert (5, [], [0]) == (store.next_due(), store.waiting(4), store.waiting(5))
    with store.work(0) as work:
        assert work is not None
        assert ["2", "3", "1"] == ids(work.pending(8, 10))
        assert ["2"] == ids(work.pending(8, 1))
        assert all(each.pending for each in work.pending(8, 10))
        work.taken(each.seq for each in work.pending(6, 10))
        assert ["1"] == ids(work.pending(8, 10))
    assert (7, [], [0]) == (store.next_due(), store.waiting(6), store.waiting(7))


def test_an_exception_undoes_the_work(store: Store) -> None:
    """Whole; and the work is free again."""
    store.append([line("1", "A")])
    save(store, entity("case:B", alarm=3))

    class Stumbled(Exception):
        pass

    def stumble() -> None:
        with store.work(0) as work:
            assert work is not None
            work.taken(each.seq for each in work.pending(9, 9))
            work.save([entity("case:A", alarm=1), entity("case:B")])
            work.give([action("x")])
            work.record([Line("h", 1, "case:A", b"{}", origin=HUB)])
            work.reject([Reject(1, "", "E1", "", b"")])
            work.note("n", b"v")
            work.place({"D": "customer:K"})
            work.now, work.adopted = 99, 5
            raise Stumbled

    with pytest.raises(Stumbled):
        stumble()
    assert ["1"] == ids(_pending(store, 0))
    assert (None, entity("case:B", alarm=3)) == (store.entity("case:A"), store.entity("case:B"))
    assert ([], [], ["1"]) == (store.outbox(), store.rejects(), ids(store.history("A")))
    give(store, action("first"))
    with store.work(0) as work:
        assert work is not None
        assert (None, 0, None) == (work.now, work.adopted, work.noted("n"))
    assert [1] == [out.seq for out in store.outbox()]


def test_what_work_writes_is_there_afterwards(store: Store) -> None:
    """Entities, notes, rejects, the instant and the number of adoptions."""
    with store.work(0) as work:
        assert work is not None
        assert (0, True, None, 0) == (work.shard, work.hub, work.now, work.adopted)
        work.save([entity("case:A", "customer:K", 5), entity("customer:K"), entity("desk", "set", last=7)])
        work.save([entity("case:A", "customer:K", 6, 4, closed=True)])
        work.note("n", b"1")
        work.reject([Reject(1, "", "E1", "why", b"")])
        work.now, work.adopted = 4, 2
        before = work.version
    with store.work(0) as again:
        assert again is not None
        assert (4, 2, b"1") == (again.now, again.adopted, again.noted("n"))
        assert before != work.version == again.version
        before = again.version
        assert entity("case:A", "customer:K", 6, 4, closed=True) == again.load(["case:A", "case:Z"])["case:A"]
        assert {"customer:K": 4, "set": 7} == again.group_of(["customer:K", "set", "case:none"])
        assert ["case:A", "customer:K", "desk"] == list(again.keys())
        assert ["customer:K"] == list(again.keys("customer:K", after="case:A"))
        again.forget(["case:A"])
    assert again.version != before
    assert store.entity("case:A") is None
    assert ["E1"] == [each.code for each in store.rejects()]
    assert (store.noted("n"), store.next_due()) == (None, None)


def test_a_shard_has_one_worker(store: Store) -> None:
    """Another one finds that it is taken, and gets it afterwards."""
    found: list[bool] = []

    def other() -> None:
        with store.work(0) as work:
            found.append(work is not None)

    with store.work(0) as work:
        assert work is not None
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    other()
    assert [False, True] == found


def test_alarms_ring_in_order(store: Store) -> None:
    """By instant and then by the code points of the key, whatever the language."""
    keys = ["case:b", "case:B", "case:é", "case:客户", "case:a"]
    save(store, *(entity(key, alarm=10) for key in keys), entity("case:z", alarm=9), entity("case:none"))
    expected = [(9, "case:z"), *((10, key) for key in sorted(keys))]
    with store.work(0) as work:
        assert work is not None
        assert expected == work.due(10, 100)
        assert expected[:2] == work.due(10, 2)
        assert expected[:1] == work.due(9, 100)
        assert sorted([*keys, "case:z", "case:none"]) == list(work.keys())
    assert expected == store.upcoming(100)
    assert expected[1:3] == store.upcoming(2, after=9)
    assert (9, [], [0]) == (store.next_due(), store.waiting(8), store.waiting(9))


def test_cases_that_the_policy_opens_have_a_place(store: Store) -> None:
    """Events of them go to the group that was said."""
    with store.work(0) as work:
        assert work is not None
        work.place({"D": "customer:K"})
    store.append([line("1", "D")])
    assert ["customer:K"] == [each.group for each in store.history("D")]


def test_what_the_hub_said_is_in_no_export(store: Store) -> None:
    """Its ids may come again, and are nobody's duplicates."""
    with store.work(0) as work:
        assert work is not None
        work.record([Line("1", 1, "case:A", b"{}", origin=HUB), Line("1", 1, "case:A", b"{}", origin=HUB)])
    assert store.append([line("1", "A")]) == ["accepted"]
    assert ["1"] == ids(store.export())
    assert [HUB, HUB, "crm"] == [each.origin for each in store.history("A")]


def test_adoptions(store: Store) -> None:
    """In order, each to be made by every shard; the one in force is not adopted again."""
    store.adopt("r1", 1, b"one")
    store.adopt("r1", 2, b"one")
    store.adopt("r2", 3, b"two")
    store.adopt("r1", 4, b"one")
    expected = [(1, "r1"), (3, "r2"), (4, "r1")]
    assert expected == store.adoptions()
    assert (b"one", b"two") == (store.compiled("r1"), store.compiled("r2"))
    with pytest.raises(KeyError):
        store.compiled("r3")
    assert ([], [0]) == (store.waiting(0), store.waiting(1))
    with store.work(0) as work:
        assert work is not None
        assert expected == work.adoptions()
        work.adopted = 3
    assert store.waiting(9) == []


def test_waiting_ends_when_something_comes(store_url: str) -> None:
    """At once if it came before, and in PostgreSQL also if it came by another process."""
    store = open_store(store_url, shards=1)
    other = open_store(store_url, shards=1) if store.shared else store
    while store.wait(0.01 if not store.shared else 0.3):
        pass
    assert not store.wait(0.001)
    other.append([line("1", "A")])
    assert store.wait(60)
    heard = threading.Event()

    def listen() -> None:
        if store.wait(60) and store.wait(60):
            heard.set()

    thread = threading.Thread(target=listen)
    thread.start()
    while not heard.wait(0.01):
        give(other, action("x"))
    thread.join()
    for each in {id(store): store, id(other): other}.values():
        each.close()


# What goes out


def test_a_new_sink_gets_what_is_given_out_from_then_on(store: Store) -> None:
    """One that never subscribed gets all, and one that was subscribed before stays where it is."""
    give(store, action("a"))
    store.subscribe(["late"])
    give(store, action("b"), action("c"))
    assert ["b", "c"] == bodies(store.outgoing("late", 0, 10))
    assert ["a", "b", "c"] == bodies(store.outgoing("never", 0, 10))
    assert ["a", "b"] == bodies(store.outgoing("never", 0, 2))
    store.subscribe(["late", "later"])
    assert ["b", "c"] == bodies(store.outgoing("late", 0, 10))
    assert (Depth(2), Depth(0), Depth(3)) == tuple(store.depth(sink) for sink in ("late", "later", "never"))
    assert ["late", "later"] == store.sinks()
    store.unsubscribe("late")
    assert ["later"] == store.sinks()


def test_what_is_delivered_is_not_asked_for_again(store: Store) -> None:
    """What failed comes again when it is due, before what is new, with all that was said of it."""
    give(store, *(action(name, f"case:{name}") for name in "abcdef"))
    a, b, c, d, e, *_ = store.outgoing("s", 0, 10)
    assert Parcel(0, 2, b"b", group="case:b") == b
    b.attempt, b.due, b.reason = 1, 50, "refused"
    d.state, d.reason = "dead", "404"
    e.state, e.due, e.bundle = "deferred", 40, "lin"
    store.settle("s", Settlement(9, delivered=[a], unwanted=[c], again=[b, e], ended=[d], error="no"))
    assert ["f"] == bodies(store.outgoing("s", 39, 10))
    assert [e] == store.outgoing("s", 40, 1)
    assert ["e", "b", "f"] == bodies(store.outgoing("s", 50, 10))
    assert [("s", d)] == store.parcels() == store.parcels("s", "dead")
    assert store.parcels("s", "moot") == []
    assert Depth(new=1, retry=1, deferred=1, dead=1) == store.depth("s")
    assert 40 == store.next_out("s")
    outlet = store.outlets()["s"]
    assert (1, 9, "no", 9) == (outlet.delivered, outlet.delivered_at, outlet.error, outlet.error_at)
    assert 1 == store.hasten("s", 20)
    b.due = 20
    assert b == store.outgoing("s", 20, 10)[0]
    store.settle("s", Settlement(10, delivered=store.outgoing("s", 99, 10)))
    assert Depth(dead=1) == store.depth("s")
    assert store.next_out("s") is None


def test_dead_letters_are_revived(store: Store) -> None:
    """All of a sink, or some; as if they had never been tried."""
    give(store, action("a"), action("b"))
    parcels = store.outgoing("s", 0, 10)
    for parcel in parcels:
        parcel.state, parcel.attempt, parcel.reason = "dead", 5, "404"
    store.settle("s", Settlement(1, ended=parcels))
    assert (0, 0) == (store.revive("s", [(0, 9)], 7), store.revive("other", None, 7))
    assert 1 == store.revive("s", [(0, 2)], 7)
    assert [Parcel(0, 2, b"b", due=7, group="case:A")] == store.outgoing("s", 7, 10)
    assert 1 == store.revive("s", None, 8)
    assert ["b", "a"] == bodies(store.outgoing("s", 8, 10))


def test_an_action_may_be_settled_in_parts(store: Store) -> None:
    """Each recipient's part is known by itself, and the whole is done with."""
    give(store, action("a"), action("b"))
    a, b = store.outgoing("s", 0, 10)
    a.due, b.due = 5, 5
    store.settle("s", Settlement(1, again=[a, b]))
    lin, wu = (Parcel(0, 1, b"a", due=6, part=part) for part in ("lin", "wu"))
    store.settle("s", Settlement(2, again=[lin, wu]))
    assert ["b", "a/lin", "a/wu"] == bodies(store.outgoing("s", 9, 10))
    store.settle("s", Settlement(3, delivered=[lin]))
    assert ["b", "a/wu"] == bodies(store.outgoing("s", 9, 10))


def test_a_parcel_is_handed_to_another_sink(store: Store) -> None:
    """It is due there at once, even far ahead of what is new there, and comes once."""
    give(store, *(action(name) for name in "abc"))
    *_, c = store.outgoing("chat", 0, 10)
    store.settle(
        "chat", Settlement(5, unwanted=store.outgoing("chat", 0, 2), handed=[("mail", c), ("mail", c)])
    )
    assert Depth() == store.depth("chat")
    assert Depth(new=2, retry=1) == store.depth("mail")
    first, *new = store.outgoing("mail", 5, 10)
    assert Parcel(0, 3, b"c", due=5, group="case:A", handed_by="chat") == first
    assert ["a", "b"] == bodies(new)
    store.settle("mail", Settlement(6, delivered=[first]))
    assert ["a", "b"] == bodies(store.outgoing("mail", 5, 2))
    store.settle("mail", Settlement(6, delivered=new))
    assert store.depth("mail") in {Depth(), Depth(new=1)}


def test_a_sink_is_delivered_to_by_one(store: Store) -> None:
    """Until the lease has run out, or was given back."""
    claims: list[tuple[str, int, int]] = [
        ("a", 10, 0), ("b", 20, 5), ("a", 15, 9), ("b", 20, 14), ("b", 20, 15), ("b", 16, 16), ("a", 30, 16),
    ]  # fmt: skip
    found = [store.claim("s", owner, until, now) for owner, until, now in claims]
    assert [True, False, True, False, True, True, True] == found


def test_a_sink_is_disabled_and_enabled(store: Store) -> None:
    """The reason is kept, and what is given out stays."""
    give(store, action("a"))
    store.disable("s", "410 Gone", 5)
    outlet = store.outlets()["s"]
    assert ("410 Gone", 5) == (outlet.disabled, outlet.disabled_at)
    assert Depth(new=1) == store.depth("s")
    assert (True, False) == (store.enable("s"), store.enable("s"))
    assert "" == store.outlets()["s"].disabled


def test_actions_that_follow_others(store: Store) -> None:
    """Of some types, of each group after its place."""
    give(
        store,
        action("a", "case:A", "notify"),
        action("b", "case:A", "met"),
        action("c", "case:B", "met"),
        action("d", "case:A", "cancelled"),
        action("e", "case:C", "met"),
    )
    found = store.following({"case:A": (0, 1), "case:B": (0, 3)}, ["met", "cancelled"])
    assert ["b", "d"] == [out.id for out in found]
    assert store.following({}, ["met"]) == []


def test_the_outbox_is_read_from_a_place_on(store: Store) -> None:
    """In the order given out, all of it or a group's."""
    give(store, action("a"), action("b", "case:B"))
    give(store, action("c"))
    assert [("a", 1), ("b", 2), ("c", 3)] == [(out.id, out.seq) for out in store.outbox()]
    assert ["b"] == [out.id for out in store.outbox(after=(0, 1), limit=1)]
    assert ["c"] == [out.id for out in store.outbox("case:A", after=(0, 1))]
    with store.work(0) as work:
        assert work is not None
        assert [Out("b", 1, "notify", "case:B", b"b", 0, 2)] == work.standing("case:B")


# Looking and housekeeping


def test_counts(store: Store) -> None:
    """How much there is of everything."""
    store.append([line("1", "A"), line("2", "A")], [Reject(1, "", "E1", "", b"")])
    save(store, entity("case:A", alarm=3), entity("case:B"))
    give(store, action("a"))
    expected = {"events": 2, "pending": 2, "entities": 2, "timers": 1, "actions": 1, "rejects": 1}
    assert expected == dict(store.counts())


def _lived(store: Store, case: str, customer: str | None, *kept: Kept, taken: bool = True) -> None:
    store.append([line(f"{case}-1", case, customer)])
    with store.work(0) as work:
        assert work is not None
        if taken:
            work.taken(each.seq for each in work.pending(9, 9) if each.case == case)
        work.save(kept)
        work.give([action(f"{case}-x", kept[0].group)])


def test_groups_at_rest_are_folded(store: Store) -> None:
    """Their history becomes a base; whatever still waits for something stays as it is."""
    store.subscribe(["s"])
    _lived(store, "A", None, entity("case:A", last=5, closed=True))
    _lived(store, "B", "K", entity("case:B", "customer:K", last=5, closed=True), entity("customer:K", last=4))
    _lived(store, "open", None, entity("case:open", last=5))
    _lived(store, "alarm", None, entity("case:alarm", alarm=99, last=5, closed=True))
    _lived(store, "recent", None, entity("case:recent", last=50, closed=True))
    _lived(store, "pending", None, entity("case:pending", last=5, closed=True), taken=False)
    a, b, *rest = store.outgoing("s", 0, 10)
    b.state = "dead"
    store.settle("s", Settlement(1, delivered=[a, *rest], ended=[b]))
    assert [1, 0, 0, 0, 0, 1, None] == [store.compact(50, limit=1) for _ in range(7)]
    assert ["open-1", "alarm-1", "recent-1", "pending-1"] == ids(store.export())
    assert store.entity("case:A") is None
    assert store.history("A") == []
    assert ["B-x", "open-x", "alarm-x", "recent-x", "pending-x"] == [out.id for out in store.outbox()]
    with store.work(0) as work:
        assert work is not None
        assert work.base("case:A") is None
        kept = [entity("case:B", "customer:K", last=5, closed=True), entity("customer:K", last=4)]
        assert (5, kept) == work.base("customer:K")
        assert ([], []) == (work.journal("customer:K"), work.standing("customer:K"))
    again = line("B-2", "B", at=60)
    assert ["accepted", "accepted"] == store.append([line("A-1", "A"), again])
    assert "customer:K" == again.group


def _fail_with(store: Store, fresh: Line) -> None:
    """Accept a line in a transaction that is undone."""
    with pytest.raises(ArithmeticError), store.work(0) as work:  # noqa: PT012
        assert work is not None
        work.accept([fresh], (), {})
        raise ArithmeticError


def test_what_is_accepted_with_the_work(tmp_path: Path) -> None:
    """Lines accepted in a transaction of the work are pending in it; so are, after it, those that it did not take."""
    with closing(open_store(f"sqlite:{tmp_path}/own.db")) as store:
        store.append([line("0", "A", at=5)])
        with store.work(0) as work:
            assert work is not None
            before = work.version
            lines = [line("1", "A", at=2), line("0", "A", at=5), line("2", "A", "K", at=9), line("3", at=3)]
            assert ["accepted", "duplicate", "accepted", "accepted"] == work.accept(
                lines, [Reject(1, "", "E1", "", b"")], {"n": b"1"}
            )
            assert before != work.version
            assert ["customer:K"] == work.moved()
            assert ["1", "3", "0"] == ids(work.pending(8, 9))
            assert ["1", "3"] == ids(work.pending(9, 2))
            assert [("0", True), ("1", True), ("2", True)] == [
                (each.id, each.pending) for each in work.journal("customer:K")
            ]
            work.taken(each.seq for each in work.pending(3, 9))
            assert [("0", True), ("1", False), ("2", True)] == [
                (each.id, each.pending) for each in work.journal("customer:K")
            ]
        with store.work(0) as work:
            assert work is not None
            assert ["0", "2"] == ids(work.pending(9, 9))
        assert (1, b"1") == (len(store.rejects()), store.noted("n"))
        _fail_with(store, line("4", "A"))
        assert ["0", "1", "2", "3"] == ids(store.export())


def test_what_goes_on_when_a_group_is_folded_may_be_chosen(store: Store) -> None:
    """What is left out is forgotten, its case too; what is written anew is so in the base as well."""
    _lived(store, "A", "K", entity("case:A", "customer:K", closed=True), entity("known:K", "customer:K"))
    with store.work(0) as before:
        assert before is not None
    ledger = Kept("known:K", "customer:K", None, 1, b'"anew"')
    assert 1 == store.compact(50, fold=lambda entities: [ledger] if len(entities) == 2 else [])
    with store.work(0) as work:
        assert work is not None
        assert (1, [ledger]) == work.base("customer:K")
        assert work.version != before.version
        assert ["known:K"] == list(work.keys())
    unknown = line("2", "A", at=60)
    store.append([unknown])
    assert "case:A" == unknown.group
    assert not store.compact(50)


def test_a_fold_that_fails_changes_nothing(store: Store) -> None:
    """The group is as it was."""
    _lived(store, "A", None, entity("case:A", closed=True))

    def fold(_: Any) -> list[Kept]:
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        store.compact(50, fold=fold)
    assert ["A-1"] == ids(store.history("A"))


def test_old_rejects_and_the_hubs_delivered_actions_go(store: Store) -> None:
    """The hub is never at rest, so what is old of it goes by age."""
    store.subscribe(["s"])
    store.append([line("1")], [Reject(1, "", "E1", "", b""), Reject(60, "", "E2", "", b"")])
    give(store, action("a", "set", at=1), action("b", "set", at=60), action("c", "set", at=1))
    a, b, _ = store.outgoing("s", 0, 10)
    a.state = "withheld"
    store.settle("s", Settlement(1, ended=[a], delivered=[b]))
    assert not store.compact(50)
    assert ["b", "c"] == [out.id for out in store.outbox()]
    assert ["E2"] == [each.code for each in store.rejects()]
    assert Depth(new=1) == store.depth("s")
    assert ["1"] == ids(store.export())
