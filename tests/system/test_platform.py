"""A campaign through the firm's own server, a real Postfix: what lies in the mailboxes is signed and verifies."""

import dkim
import pytest

from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.domain import domain_add, domain_word
from postroom.actions.domain_key import key_use
from postroom.actions.relay import relay_save
from postroom.mail.dns_records import dkim_record
from postroom.models.account import AccountKind, Approval
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.domain import DkimKey
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.run import running, until
from postroom.testing.servers import ACCOUNT, PASSWORD, member

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.req("SA-01")
def test_what_arrives_over_a_real_relay_is_signed_by_us_and_unchanged(office, child_env, trust, tmp_path):
    cast = make_cast(bounce_host="returns.alderpike.example")
    relay = {
        "relay_host": "localhost",
        "relay_port": office.ports["submission"],
        "relay_security": "starttls",
        "relay_login": ACCOUNT,
        "relay_password": PASSWORD,
        "relay_verify_certificate": True,
    }
    relay_save(viewer=cast.alice, values=relay)
    domain = domain_add(viewer=cast.alice, name="alderpike.example")
    domain_word(viewer=cast.alice, domain_id=domain.id)
    key_use(viewer=cast.alice, domain_id=domain.id, key_id=domain.keys.get().id)
    account = make_account(
        cast.alice,
        port=1,
        kind=AccountKind.PLATFORM,
        approval=Approval.APPROVED,
        smtp_host="",
        display_name="Żółw & Сын",
    )
    addresses = [member(number) for number in (26, 27, 28)]
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, addresses))
    text = "<p>Drogi {{ name }} {{ surname }},</p>\n.\n<p>Здравейте,  приятели\t. </p>\n\n\n"
    Campaign.objects.filter(id=campaign.id).update(html=text, subject="Ceny dla {{ surname }}: żółw")
    env = {**child_env, "POSTROOM_POLL_SECONDS": "0.2", "SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    with running("delivery", env=env, log=tmp_path / "log"):
        campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
        campaign_freeze(campaign_id=campaign.id)
        until(lambda: Campaign.objects.get(id=campaign.id).state == "finished", wait_s=60)
    assert set(Delivery.objects.filter(campaign=campaign).values_list("state", flat=True)) == {"accepted"}
    record = dkim_record(DkimKey.objects.get(state="active").public_key).encode()
    for address in addresses:
        mails = office.wait_for_mails(address, lambda mails: any(b"DKIM-Signature" in raw for raw in mails))
        (raw,) = [raw for raw in mails if b"DKIM-Signature" in raw]  # other tests write to them too
        assert b"Received: " in raw
        assert b"@returns.alderpike.example>" in raw.partition(b"\r\n")[0]
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: record), raw
        assert not dkim.verify(raw.replace(b"Drogi", b"Drogy"), dnsfunc=lambda name, timeout=5: record)
