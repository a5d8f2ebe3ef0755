"""Sealing a notice for a browser (RFC 8291) and saying who we are (RFC 8292)."""

import json

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from postroom.errors import InputError
from postroom.mail.webpush import authorization, browser_key, decoded, own_key, public_text, sealed


def test_the_example_of_rfc_8291_appendix_a():
    once = ec.derive_private_key(
        int.from_bytes(decoded("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), ec.SECP256R1()
    )
    body = sealed(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        once=once,
        salt=decoded("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == decoded(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_"
        "yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


def test_the_authorization_is_signed_for_the_push_service_and_our_key_stays_the_same():
    key = own_key(b"secret")
    assert public_text(key) == public_text(own_key(b"secret")) != public_text(own_key(b"other"))
    words = authorization(key, "https://push.example:444/send/1", subject="https://us.example", now=1000.0)
    token, shown = words.removeprefix("vapid t=").split(", k=")
    head, claims, mark = token.split(".")
    raw = decoded(mark)
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    browser_key(shown).verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    said = json.loads(decoded(claims))
    assert (said["aud"], said["sub"]) == ("https://push.example:444", "https://us.example")
    assert 1000 < said["exp"] <= 1000 + 86400


@pytest.mark.parametrize("key", ["", "AAAA", "not base64 !", "B" * 87])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(InputError):
        browser_key(key)
