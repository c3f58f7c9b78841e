"""Delivery: from the outbox into sinks."""

from __future__ import annotations

from pathlib import Path

from deliveries import World, action

HOUR = 3600


def test_smoke(tmp_path: Path) -> None:
    with World(tmp_path, {"sinks": {"chat": {"type": "console"}}}) as world:
        world.give(*(action(f"a{number}") for number in range(5)))
        world.run()
        assert ["a0", "a1", "a2", "a3", "a4"] == world.sinks["chat"].ids


def test_down(tmp_path: Path) -> None:
    with World(tmp_path, {"sinks": {"chat": {"type": "console"}}}) as world:
        sink = world.sinks["chat"]
        sink.down = True
        expected = []
        for number in range(60):
            world.give(action(f"a{number}", to=[f"person:{number % 3}"]))
            expected.append(f"a{number}")
            world.run(60)
        assert [] == sink.ids
        sink.down = False
        world.run(120)
        assert sorted(expected) == sorted(sink.ids)
        for line in range(3):
            assert expected[line::3] == [id for id in sink.ids if int(id[1:]) % 3 == line]
        print(len(sink.tried))
