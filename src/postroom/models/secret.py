"""A text column encrypted at rest with MultiFernet. Fails closed: what cannot be read is an error, never shown raw."""

import functools
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.db import models

from postroom.conf import keys, place
from postroom.errors import HostError


@functools.cache
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """The text under the newest key; "" stays "" (nothing is stored)."""
    return _fernet(tuple(keys.current().fernet_keys)).encrypt(text.encode()).decode() if text else ""


def decrypt(stored: str) -> str:
    """The text again. Raises HostError when no key of ours fits."""
    if not stored:
        return ""
    try:
        return _fernet(tuple(keys.current().fernet_keys)).decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise HostError(
            f"A stored secret cannot be read with the keys in {place.key_file()}. "
            "Put the key file of the machine that stored it in place (see POSTROOM_KEY_FILE)."
        ) from error


def renewed(stored: str) -> str:
    """What is stored, under the newest key; the same text when it is already. Raises HostError when no key fits."""
    newest = keys.current().fernet_keys[:1]
    try:
        _fernet(tuple(newest)).decrypt(stored.encode())
        return stored
    except InvalidToken:
        return encrypt(decrypt(stored))


class SecretField(models.TextField):
    """Encrypted when written, decrypted when read."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(str(value)) if value else ""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        return decrypt(value or "")
