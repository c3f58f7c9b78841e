"""Signed bundles and folders of releases, through the commands and as a service sees them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from duly_cli import signing
from duly_cli.commands import run
from duly_cli.files import Unreadable
from duly_cli.releases import Releases
from duly_cli.sources import Choice

EXAMPLE = Path(__file__).parent.parent / "docs" / "example"


def _policy(folder: Path, version: str, name: str = "support") -> Path:
    """The example set with another version and name."""
    folder.mkdir(exist_ok=True)
    for each in ("duly.yaml", "policy.yaml"):
        text = (EXAMPLE / each).read_text(encoding="utf-8")
        text = text.replace("version: 1.0.0", f"version: {version}").replace("name: support", f"name: {name}")
        (folder / each).write_text(text, encoding="utf-8")
    return folder


def _build(policy: Path, bundle: Path, key: Path | None = None) -> Path:
    signing_words = [] if key is None else ["--sign", str(key)]
    assert run(["build", str(policy), "-o", str(bundle), *signing_words]) == 0
    return bundle


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    signing.new_key(str(path))
    return path


def test_a_new_key_is_for_its_owner_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The private half is readable by nobody else, and never written over; the public half is printed."""
    path = tmp_path / "key.pem"
    assert run(["key", "new", str(path)]) == 0
    public = capsys.readouterr().out.strip()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert run(["key", "show", str(path)]) == 0
    assert capsys.readouterr().out.strip() == public
    before = path.read_bytes()
    with pytest.raises(Unreadable, match="exists already"):
        signing.new_key(str(path))
    assert path.read_bytes() == before


def test_who_signed_is_told_and_checked(
    tmp_path: Path, key: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A signed bundle names its signer; another's key is not trusted, nor a bundle without a signature."""
    policy = _policy(tmp_path / "policy", "1.0.0")
    bundle, bare = _build(policy, tmp_path / "a.duly", key), _build(policy, tmp_path / "b.duly")
    public = signing.public_key(str(key))
    capsys.readouterr()
    assert run(["inspect", str(bundle), "--trust", public]) == 0
    assert f"signed by: {public}" in capsys.readouterr().out
    other = signing.new_key(str(tmp_path / "other.pem"))
    with pytest.raises(Unreadable, match="none of the keys trusted"):
        run(["inspect", str(bundle), "--trust", other])
    with pytest.raises(Unreadable, match="is not signed"):
        run(["inspect", str(bare), "--trust", public])
    with pytest.raises(Unreadable, match="is not a public key"):
        run(["inspect", str(bundle), "--trust", "ed25519:nonsense"])


@pytest.mark.parametrize("part", [b'"matcher":"native"', b'"version":"1.0.0"', b'"digest":"sha256:'])
def test_a_signature_covers_the_whole_bundle(tmp_path: Path, key: Path, part: bytes) -> None:
    """Whatever is changed after signing, head or content, is found."""
    bundle = _build(_policy(tmp_path / "policy", "1.0.0"), tmp_path / "a.duly", key)
    content = bundle.read_bytes()
    assert part in content
    changed = part.replace(b"native", b"nativf").replace(b"1.0.0", b"1.0.1").replace(b"sha256:", b"sha257:")
    bundle.write_bytes(content.replace(part, changed, 1))
    with pytest.raises(Unreadable, match=r"changed after it was signed|does not match its digest"):
        run(["inspect", str(bundle)])


def test_the_highest_version_that_is_valid_counts(tmp_path: Path, key: Path) -> None:
    """Of a folder of releases, a newer one that is damaged, unsigned or of another set is passed over."""
    folder = tmp_path / "releases"
    folder.mkdir()
    public = signing.public_key(str(key))
    for version in ("1.9.0", "1.10.0", "2.0.0-rc1"):
        _build(_policy(tmp_path / "policy", version), folder / f"{version}.duly", key)
    releases = Releases(str(folder), Choice(), [public], folder=True)
    assert releases.load().compiled["set"]["version"] == "2.0.0-rc1"
    _build(_policy(tmp_path / "policy", "2.0.0"), folder / "2.0.0.duly", key)
    assert releases.load().compiled["set"]["version"] == "2.0.0"
    _build(_policy(tmp_path / "policy", "3.0.0"), folder / "3.0.0.duly")
    _build(_policy(tmp_path / "other", "4.0.0", "another"), folder / "4.0.0.duly", key)
    (folder / "5.0.0.duly").write_bytes((folder / "2.0.0.duly").read_bytes()[:-100])
    assert releases.load("support").compiled["set"]["version"] == "2.0.0"
    reasons = "\n".join(releases.passed_over)
    assert ["is not signed" in reasons, "is the set `another`" in reasons, "is damaged" in reasons] == [
        True
    ] * 3


def test_a_place_shows_that_it_has_changed(tmp_path: Path) -> None:
    """A folder, a bundle and a folder of releases look different after a change, and the same without one."""
    policy = _policy(tmp_path / "policy", "1.0.0")
    folder = tmp_path / "releases"
    folder.mkdir()
    bundle = _build(policy, folder / "a.duly")
    places = [
        Releases(str(policy), Choice()),
        Releases(str(bundle), Choice()),
        Releases(str(folder), Choice(), folder=True),
    ]
    before = [place.mark() for place in places]
    assert all(before)
    assert [place.mark() for place in places] == before
    _policy(tmp_path / "policy", "1.0.10")
    _build(policy, bundle)
    assert [place.mark() != mark for place, mark in zip(places, before, strict=True)] == [True] * 3


def test_an_empty_folder_of_releases_says_what_to_do(tmp_path: Path) -> None:
    """Without any bundle there is nothing to run, and the message says how to make one."""
    with pytest.raises(Unreadable, match="duly build"):
        Releases(str(tmp_path), Choice(), folder=True).load()


def test_only_bundles_can_be_trusted(tmp_path: Path, key: Path) -> None:
    """With `trust`, a folder of YAML is not run: nobody signed it."""
    policy = _policy(tmp_path / "policy", "1.0.0")
    with pytest.raises(Unreadable, match="not a signed bundle"):
        Releases(str(policy), Choice(), [signing.public_key(str(key))]).load()
