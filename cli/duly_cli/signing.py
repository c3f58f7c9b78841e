"""Signing: who built a bundle. Keys are Ed25519; a public key is written `ed25519:` and its 32 bytes in base64."""

from __future__ import annotations

import base64
import json
import os

from duly_cli.files import Unreadable, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PREFIX = "ed25519:"
SIGNATURE = "signature"


def new_key(path: str) -> str:
    """Make a key, write its private half to a new file that only its owner reads, and give its public half."""
    private = _ed25519().Ed25519PrivateKey.generate()
    from cryptography.hazmat.primitives import serialization as forms

    text = private.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Unreadable(f"`{path}` exists already; a key is never written over, name another file") from None
    except OSError as error:
        raise Unreadable(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from None
    with open(number, "wb") as file:
        file.write(text)
    return _public(private)


def public_key(path: str) -> str:
    """The public half of the key in a file: a private key or a public one, in PEM."""
    ed25519, content = _ed25519(), read(path)
    if b"PRIVATE KEY" in content:
        return _public(_private(path))
    from cryptography.hazmat.primitives import serialization as forms

    try:
        found = forms.load_pem_public_key(content)
    except ValueError:
        found = None
    if not isinstance(found, ed25519.Ed25519PublicKey):
        raise Unreadable(f"`{path}` holds no Ed25519 key in PEM; `duly key new FILE` makes one")
    return _text(found)


def signed(head: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The head of a bundle with the signature of the private key in a file."""
    private = _private(path)
    value = base64.b64encode(private.sign(_canonical(head))).decode()
    return {**head, SIGNATURE: {"key": _public(private), "value": value}}


def signer(head: Mapping[str, Any], name: str) -> str | None:
    """The public key that signed a bundle, its signature verified; None for a bundle without one.

    Raises Unreadable for a signature that does not fit: the bundle was changed after it was signed.
    """
    signature = head.get(SIGNATURE)
    if signature is None:
        return None
    _ed25519()
    from cryptography.exceptions import InvalidSignature

    try:
        key, value = str(signature["key"]), base64.b64decode(signature["value"], validate=True)
        _read_public(key).verify(value, _canonical(head))
    except (InvalidSignature, KeyError, TypeError, ValueError):
        raise Unreadable(
            f"`{name}` does not fit its signature: it was changed after it was signed; build and sign it again"
        ) from None
    return key


def trusted(head: Mapping[str, Any], name: str, keys: Iterable[str]) -> str:
    """The public key, one of `keys`, that signed a bundle. Raises Unreadable for any other."""
    found = signer(head, name)
    if found is None:
        raise Unreadable(f"`{name}` is not signed; sign it with `duly build --sign KEY`")
    if found not in {str(key).strip() for key in keys}:
        raise Unreadable(f"`{name}` is signed by {found}, which is none of the keys trusted here (`trust`)")
    return found


def read_trust(keys: Iterable[str], origin: str) -> list[str]:
    """Public keys as somebody wrote them, each checked. Raises Unreadable for what is none."""
    found = []
    for key in keys:
        try:
            _read_public(key.strip())
        except ValueError:
            expected = f"`{PREFIX}` and 32 bytes in base64, as `duly key show FILE` prints it"
            raise Unreadable(f"{origin}: `{key}` is not a public key; expected {expected}") from None
        found.append(key.strip())
    return found


def _canonical(head: Mapping[str, Any]) -> bytes:
    """What is signed: the head without its signature. Its digest stands for all the rest."""
    bare = {name: value for name, value in head.items() if name != SIGNATURE}
    return json.dumps(bare, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _private(path: str) -> Ed25519PrivateKey:
    ed25519 = _ed25519()
    from cryptography.hazmat.primitives import serialization as forms

    try:
        found = forms.load_pem_private_key(read(path), None)
    except (ValueError, TypeError):
        found = None
    if not isinstance(found, ed25519.Ed25519PrivateKey):
        reason = "no Ed25519 private key in PEM without a passphrase"
        raise Unreadable(f"`{path}` holds {reason}; `duly key new FILE` makes one")
    private: Ed25519PrivateKey = found
    return private


def _public(private: Ed25519PrivateKey) -> str:
    return _text(private.public_key())


def _text(public: Ed25519PublicKey) -> str:
    return PREFIX + base64.b64encode(public.public_bytes_raw()).decode()


def _read_public(text: str) -> Ed25519PublicKey:
    if not text.startswith(PREFIX):
        raise ValueError(text)
    content = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    found: Ed25519PublicKey = _ed25519().Ed25519PublicKey.from_public_bytes(content)
    return found


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        raise Unreadable("signatures need the package cryptography: `pip install 'duly[service]'`") from None
    return ed25519
