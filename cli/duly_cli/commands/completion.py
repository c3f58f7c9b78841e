"""`duly completion`: completion for a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    r"""Print the script that completes duly's commands, for your shell's start-up file.

    \b
    bash:  eval "$(duly completion bash)"   in ~/.bashrc
    zsh:   eval "$(duly completion zsh)"    in ~/.zshrc
    fish:  duly completion fish | source    in ~/.config/fish/config.fish
    """
    from duly_cli.commands import cli

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "duly", "_DULY_COMPLETE").source())
    return 0
