"""The entry point: `decide` on the fast path, everything else through click; no traceback ever leaves it."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FINE, FINDINGS, WRONG_USE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `duly` with these arguments (those of the process by default); the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _speak_utf8()
    try:
        code = _run(words)
        sys.stdout.flush()
        if arguments is None and words[:1] == ["decide"]:
            _leave(code)
        return code
    except KeyboardInterrupt:
        return _quietly(INTERRUPTED)
    except BrokenPipeError:
        return _quietly(FINE)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a report and no traceback
        gc.enable()
        if isinstance(error, OSError) and error.errno == 28:
            print("duly: no space left to write to", file=sys.stderr)
            return WRONG_USE
        from duly_cli.failures import report

        return report(error, words)


def _run(words: list[str]) -> int:
    from duly_cli.files import Unreadable, complain
    from duly_cli.sources import Invalid

    try:
        if words[:1] == ["decide"]:
            # Nothing that loading makes is garbage; `deciding` turns collection on again for long streams.
            gc.disable()
            from duly_cli import deciding

            plain = deciding.asked(words[1:])
            if plain is not None:
                return deciding.run(plain)
        from duly_cli.commands import run

        return run(words)
    except Unreadable as error:
        complain(str(error))
        return WRONG_USE
    except Invalid as error:
        from duly_cli.rendering import show_invalid

        show_invalid(error)
        return FINDINGS


def _leave(code: int) -> None:
    """End the process at once: taking the interpreter down in order costs a tenth of a cold decision."""
    sys.stderr.flush()
    os._exit(code)


def _speak_utf8() -> None:
    """Decisions hold Chinese text; a terminal's or a pipe's own encoding must not break on it."""
    for stream in (sys.stdout, sys.stderr):
        encoding = getattr(stream, "encoding", None)
        if encoding is not None:
            # Names of files may hold bytes that are no text at all.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]


def _quietly(code: int) -> int:
    """Leave without the interpreter trying to flush what nobody reads any more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


if __name__ == "__main__":
    sys.exit(main())
