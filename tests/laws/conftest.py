"""Laws: they run the same lines millions of times, so coverage does not watch them."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the laws out of what coverage measures, where it does."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("no_cover")
