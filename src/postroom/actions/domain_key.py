"""DKIM keys: made, taken into use once their record is seen (or by the administrator's word), retired."""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.errors import Conflict, NotFound
from postroom.mail.dkim import public_of
from postroom.models.domain import DkimKey, Domain
from postroom.queries.domain import domain_visible_to
from postroom.queries.viewer import Viewer, demand_administers

State = DkimKey.State


def key_add(domain: Domain) -> DkimKey:
    """A new pair of 2,048 bits (RFC 8301 section 3.2), waiting for its record; the selector tells the day."""
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    day = f"pr{timezone.now():%Y%m%d}"
    used = set(domain.keys.values_list("selector", flat=True))
    selector = next(name for n in range(1, 10_000) if (name := day if n == 1 else f"{day}-{n}") not in used)
    return DkimKey.objects.create(
        domain=domain, selector=selector, private_key=private, public_key=public_of(private)
    )


@transaction.atomic
def key_make(*, viewer: Viewer, domain_id: int) -> DkimKey:
    """Begin to change the key of a domain. Raises NotFound, NotAllowed, Conflict KEY_WAITS."""
    domain = domain_visible_to(viewer, domain_id, lock=True)
    if domain.keys.filter(state=State.NEXT).exists():
        raise Conflict(
            _("A new key waits already: publish its record, or throw it away first."), code="KEY_WAITS"
        )
    key = key_add(domain)
    audit(viewer, "made a key", "domain", domain.id, selector=key.selector)
    return key


@transaction.atomic
def key_use(*, viewer: Viewer, domain_id: int, key_id: int) -> DkimKey:
    """Sign with the waiting key by the administrator's word. Raises NotFound, NotAllowed, Conflict."""
    domain = domain_visible_to(viewer, domain_id, lock=True)
    demand_administers(viewer)
    key = _waiting(domain, key_id)
    if domain.proved_at is None:
        raise Conflict(_("Prove %(name)s first.") % {"name": domain.name}, code="DOMAIN_UNVERIFIED")
    key_activate(key)
    audit(viewer, "vouched for the key", "domain", domain.id, selector=key.selector)
    return key


@transaction.atomic
def key_drop(*, viewer: Viewer, domain_id: int, key_id: int) -> None:
    """Throw a waiting key away. Raises NotFound, NotAllowed, Conflict."""
    domain = domain_visible_to(viewer, domain_id, lock=True)
    key = _waiting(domain, key_id)
    audit(viewer, "threw a key away", "domain", domain.id, selector=key.selector)
    key.delete()


def _waiting(domain: Domain, key_id: int) -> DkimKey:
    key = domain.keys.filter(id=key_id).first()
    if key is None:
        raise NotFound("There is no such key.")
    if key.state != State.NEXT:
        raise Conflict(_("This key does not wait any more."), code="KEY_IN_USE")
    return key


def key_activate(key: DkimKey) -> None:
    """Sign with it from now on. The old one retires: its secret is wiped, its record stays for mail on its way."""
    now = timezone.now()
    DkimKey.objects.filter(domain_id=key.domain_id, state=State.ACTIVE).update(
        state=State.RETIRED, retired_at=now, private_key=""
    )
    key.state, key.published_at = State.ACTIVE, now
    key.save(update_fields=["state", "published_at"])
