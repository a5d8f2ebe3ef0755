"""Signals on their way to browsers, chats and other services, at servers of our own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.utils import timezone

from postroom.actions.channel import channel_add, push_add, push_public
from postroom.actions.group import group_make, group_save
from postroom.actions.group_member import member_add
from postroom.actions.signal import signal_send
from postroom.daemons.worker.signals import signal_tell
from postroom.errors import InputError, NotAllowed
from postroom.mail.webpush import browser_key, encoded, public_text
from postroom.models.domain import Domain
from postroom.models.signal import Channel
from postroom.models.workspace import Instance
from postroom.testing.cast import make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def service():
    """A push service and a chat: keeps what it is told; answers 410 below /gone and 500 below /broken."""
    heard = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, dict(self.headers), body))
            status = 410 if "gone" in self.path else 500 if "broken" in self.path else 201
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.heard, server.url = heard, f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def group(cast):
    domain = Domain.objects.create(
        workspace=cast.alice.workspace, name="firm.example", token="t", proved_at=timezone.now()
    )
    made = group_make(viewer=cast.alice, domain_id=domain.id, name="office", real_name="Office")
    member_add(viewer=cast.alice, group_id=made.id, address=cast.bob.user.email)
    return made


class Browser:
    """The receiving half of RFC 8291."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = b"0123456789abcdef"

    def keys(self):
        return {"p256dh": public_text(self.key), "auth": encoded(self.auth)}

    def opened(self, body):
        salt, size = body[:16], body[20]
        ours, sealed = body[21 : 21 + size], body[21 + size :]
        shared = self.key.exchange(ec.ECDH(), browser_key(encoded(ours)))
        info = b"WebPush: info\0" + body[0:0] + _raw(self.key) + ours
        ikm = HKDF(hashes.SHA256(), 32, self.auth, info).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(ikm)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(ikm)
        plain = AESGCM(key).decrypt(nonce, sealed, None)
        assert plain[-1:] == b"\x02"
        return json.loads(plain[:-1])


def _raw(key):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


@pytest.mark.req("EG-14")
def test_a_signal_reaches_browser_chat_webhook_and_other_services_once(cast, group, service):
    browser = Browser()
    push_add(viewer=cast.bob, endpoint=f"{service.url}/push/1", **browser.keys())
    channel_add(viewer=cast.bob, kind="chat", address=f"{service.url}/hooks/1")
    channel_add(viewer=cast.bob, kind="webhook", address=f"{service.url}/mine")
    owner = Channel.objects.create(
        workspace=cast.bob.workspace,
        user=cast.bob.user,
        kind="apprise",
        address=service.url.replace("http://", "json://") + "/apprise",
        mark="m",
    )
    channel_add(viewer=cast.charlie, kind="webhook", address=f"{service.url}/stranger")
    channel_add(viewer=cast.alice, kind="webhook", address=f"{service.url}/sender")
    signal, told = signal_send(viewer=cast.alice, group_id=group.id, text="Lunch is here")
    assert told == 1
    signal_tell(signal.id)
    signal_tell(signal.id)  # a job that runs again
    by_path = {path: (headers, body) for path, headers, body in service.heard}
    assert sorted(path for path, _, _ in service.heard) == ["/apprise", "/hooks/1", "/mine", "/push/1"]
    headers, body = by_path["/push/1"]
    said = browser.opened(body)
    assert (said["title"], said["body"], said["from"]) == ("Office", "Lunch is here", "Alice")
    assert headers["Authorization"].endswith(f"k={push_public()}")
    assert (headers["Content-Encoding"], headers["TTL"]) == ("aes128gcm", "43200")
    assert json.loads(by_path["/hooks/1"][1]) == {"text": "Office: Lunch is here (Alice)"}
    assert json.loads(by_path["/mine"][1]) == {"text": "Lunch is here", "group": "Office", "from": "Alice"}
    assert b"Lunch is here" in by_path["/apprise"][1]
    owner.refresh_from_db()
    assert owner.failures == 0
    assert owner.used_at is not None


@pytest.mark.req("EG-14")
def test_what_refuses_is_remembered_and_a_browser_that_is_gone_forgotten(cast, group, service):
    gone = push_add(viewer=cast.bob, endpoint=f"{service.url}/gone", **Browser().keys())
    broken = channel_add(viewer=cast.bob, kind="webhook", address=f"{service.url}/broken")
    nobody = channel_add(viewer=cast.bob, kind="webhook", address="http://127.0.0.1:9/")
    signal, _ = signal_send(viewer=cast.alice, group_id=group.id, text="One")
    signal_tell(signal.id)
    assert not Channel.objects.filter(id=gone.id).exists()
    for channel in (broken, nobody):
        channel.refresh_from_db()
        assert channel.failures == 1
        assert channel.words
    second, _ = signal_send(viewer=cast.alice, group_id=group.id, text="Two")
    group_save(viewer=cast.alice, group_id=group.id, signal_disabled=True)
    before = len(service.heard)
    signal_tell(second.id)  # the option holds for what is not told yet
    assert len(service.heard) == before


def test_a_channel_leads_into_no_private_network_unless_that_is_allowed(cast, group, service):
    channel = channel_add(viewer=cast.bob, kind="webhook", address=f"{service.url}/mine")
    Instance.objects.update(allow_private_hosts=False)
    signal, _ = signal_send(viewer=cast.alice, group_id=group.id, text="One")
    signal_tell(signal.id)
    assert service.heard == []
    channel.refresh_from_db()
    assert channel.failures == 1
    with pytest.raises(InputError):
        channel_add(viewer=cast.bob, kind="webhook", address="http://firm.example/")
    with pytest.raises(InputError):
        channel_add(viewer=cast.bob, kind="webhook", address="file:///etc/passwd")
    with pytest.raises(InputError):
        push_add(viewer=cast.bob, endpoint=f"{service.url}/push", p256dh="AAAA", auth="AAAA")
    with pytest.raises(NotAllowed):
        channel_add(viewer=cast.bob, kind="apprise", address="json://127.0.0.1/")
