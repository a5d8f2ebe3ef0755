"""The sync daemon asks a name server of ours about domains: proofs, keys, lies and silence."""

from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions.domain import bounce_host_set, domain_add, domain_check_ask, domain_word
from postroom.actions.domain_checking import checks_sweep
from postroom.actions.domain_key import key_make, key_use
from postroom.errors import Conflict, NotAllowed
from postroom.mail.dns_records import dkim_record
from postroom.models.domain import DkimKey, Domain, DomainCheck
from postroom.models.workspace import AuditLine, Instance
from postroom.queries.domain import domain_for, records_of, signing_keys
from postroom.testing.cast import make_cast
from postroom.testing.dns import SERVFAIL, SILENT, name_server
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(db):
    return make_cast()


@pytest.fixture
def zone(settings):
    with name_server() as server:
        settings.POSTROOM_DNS = [server.address]
        yield server


def checked(viewer, domain, seconds=15):
    """The domain after a look at DNS that the daemon did."""
    check = domain_check_ask(viewer=viewer, domain_id=domain.id)
    assert wait_for(lambda: DomainCheck.objects.filter(id=check.id, state="done").exists(), seconds)
    return Domain.objects.get(id=domain.id)


def publish(zone, domain):
    """Everything the page says is to be published."""
    for record in records_of(Domain.objects.get(id=domain.id)):
        if record.kind == "TXT":
            zone.txt(record.name, record.value)
        else:
            zone.records[record.name, record.kind] = [record.value]


def test_a_domain_whose_records_are_published_is_proved_and_signs(cast, zone):
    Instance.objects.filter(id=1).update(relay_host="relay.firm.example", url="https://post.firm.example")
    zone.records["relay.firm.example", "A"] = ["192.0.2.25"]
    zone.records["firm.example", "MX"] = ["10 mail.firm.example."]
    domain = domain_add(viewer=cast.alice, name="Firm.Example.")
    with syncing():
        before = checked(cast.alice, domain)
        assert before.proved_at is None
        assert {name: one["state"] for name, one in before.checks.items()} == {
            "proof": "missing",
            "spf": "missing",
            "dmarc": "missing",
            "mx": "ok",
        }
        publish(zone, domain)
        after = checked(cast.alice, domain)
    assert (after.proved_by, after.checks["spf"]["code"], after.checks["dmarc"]["code"]) == (
        "dns",
        "spf_ok",
        "dmarc_none",
    )
    key = after.keys.get()
    assert (key.state, key.seen["state"]) == ("active", "ok")
    assert [one.selector for one in signing_keys(cast.alice.workspace.id)] == [key.selector]
    assert domain_for(cast.alice.workspace.id, "news.firm.example") == after
    assert domain_for(cast.charlie.workspace.id, "firm.example") is None
    assert set(AuditLine.objects.values_list("verb", flat=True)) >= {"added", "proved", "began to sign with"}


def test_a_key_is_changed_only_once_the_new_one_is_seen(cast, zone):
    domain = domain_add(viewer=cast.alice, name="firm.example")
    publish(zone, domain)
    with syncing():
        checked(cast.alice, domain)
        old = DkimKey.objects.get()
        new = key_make(viewer=cast.alice, domain_id=domain.id)
        with pytest.raises(Conflict) as refused:
            key_make(viewer=cast.alice, domain_id=domain.id)
        assert refused.value.code == "KEY_WAITS"
        checked(cast.alice, domain)
        new.refresh_from_db()
        assert new.state == "next"
        zone.txt(f"{new.selector}._domainkey.firm.example", dkim_record(old.public_key))
        assert checked(cast.alice, domain).keys.get(id=new.id).seen["code"] == "dkim_other"
        publish(zone, domain)
        checked(cast.alice, domain)
    new.refresh_from_db()
    old.refresh_from_db()
    assert (new.state, old.state, old.private_key) == ("active", "retired", "")
    assert old.retired_at
    assert new.private_key
    assert new.selector != old.selector


def test_the_token_of_another_workspace_proves_nothing(cast, zone):
    hers = domain_add(viewer=cast.alice, name="firm.example")
    his = domain_add(viewer=cast.charlie, name="firm.example")
    zone.txt("_postroom.firm.example", his.token)
    with syncing():
        mine = checked(cast.alice, hers)
        assert (mine.proved_at, mine.checks["proof"]["code"]) == (None, "proof_other")
        assert checked(cast.charlie, his).proved_by == "dns"
        zone.txt("_postroom.firm.example", his.token, hers.token)
        mine = checked(cast.alice, hers)
    assert (mine.proved_at, mine.checks["proof"]["code"]) == (None, "proof_taken")
    with pytest.raises(Conflict) as taken:
        domain_word(viewer=cast.alice, domain_id=hers.id)
    assert taken.value.code == "DOMAIN_TAKEN"
    hers.delete()
    with pytest.raises(Conflict) as taken:
        domain_add(viewer=cast.alice, name="firm.example")
    assert taken.value.code == "DOMAIN_TAKEN"


@pytest.mark.parametrize("lie", ["loop", "long", "silent", "servfail"])
def test_dns_that_lies_or_keeps_silent_proves_nothing_and_is_told(cast, zone, lie):
    domain = domain_add(viewer=cast.alice, name="firm.example")
    place = "_postroom.firm.example"
    if lie == "loop":
        zone.records[place, "CNAME"] = ["a.example."]
        zone.records["a.example", "CNAME"] = [f"{place}."]
    elif lie == "long":
        zone.txt(place, domain.token + "x" * 4096)
    else:
        zone.records[place, "*"] = SILENT if lie == "silent" else SERVFAIL
    with syncing():
        after = checked(cast.alice, domain, seconds=25)
    assert after.proved_at is None
    proof = after.checks["proof"]
    assert proof["state"] == ("wrong" if lie == "long" else "unreachable")
    assert all(len(one) <= 301 for one in proof["found"])


def test_only_who_administers_the_installation_can_vouch(cast):
    hers = domain_add(viewer=cast.alice, name="firm.example")
    his = domain_add(viewer=cast.charlie, name="gmail.example")
    with pytest.raises(NotAllowed):
        domain_word(viewer=cast.charlie, domain_id=his.id)
    key = hers.keys.get()
    with pytest.raises(Conflict) as unproved:
        key_use(viewer=cast.alice, domain_id=hers.id, key_id=key.id)
    assert unproved.value.code == "DOMAIN_UNVERIFIED"
    assert domain_word(viewer=cast.alice, domain_id=hers.id).proved_by == "word"
    assert AuditLine.objects.filter(verb="vouched for", user=cast.alice.user, noun_id=hers.id).exists()
    assert key_use(viewer=cast.alice, domain_id=hers.id, key_id=key.id).state == "active"


def test_a_bounce_host_is_looked_at_with_its_domain(cast, zone):
    domain = domain_add(viewer=cast.alice, name="firm.example")
    with pytest.raises(Conflict) as unproved:
        bounce_host_set(viewer=cast.alice, domain_id=domain.id, host="returns.firm.example")
    assert unproved.value.code == "DOMAIN_UNVERIFIED"
    domain_word(viewer=cast.alice, domain_id=domain.id)
    bounce_host_set(viewer=cast.alice, domain_id=domain.id, host="Returns.Firm.Example")
    publish(zone, domain)
    with syncing():
        after = checked(cast.alice, domain)
    assert after.workspace.bounce_host == "returns.firm.example"
    assert {after.checks[name]["state"] for name in ("bounce_mx", "bounce_spf")} == {"ok"}


def test_proved_domains_are_looked_at_every_day_and_left_checks_end(cast):
    domain = domain_add(viewer=cast.alice, name="firm.example")
    left = DomainCheck.objects.create(domain=domain, state="running")
    DomainCheck.objects.filter(id=left.id).update(created_at=timezone.now() - timedelta(minutes=3))
    checks_sweep()
    left.refresh_from_db()
    assert left.state == "done"
    assert not DomainCheck.objects.filter(state="waiting").exists()
    domain_word(viewer=cast.alice, domain_id=domain.id)
    checks_sweep()
    checks_sweep()
    assert DomainCheck.objects.filter(state="waiting").count() == 1
