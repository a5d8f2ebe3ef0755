"""Messages: compiled once, the quick way equal to the general way, and read back whole by Python's own parser."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import BadAddress, BadTemplate, InputError, MissingValue
from postroom.mail.compose import Content, Mailbox, RecipientValues, Rendered, compile_message
from postroom.mail.frame import AttachmentFile

WHEN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
TOKEN = "aaaaaaaaabogxo6gpe6i"
KNOWN = {"name", "surname", "company", "salutation"}
HTML = "<p>Dear {{ name }},</p>\n<p>{{ company | default: 'your firm' }} – zażółć</p>"


def content(**given) -> Content:
    given = {
        "subject": "Hello {{ name }}",
        "html": HTML,
        "text": "",
        "header_from": Mailbox("Łukasz Żółć", "office@firm.pl"),
        "message_id_domain": "firm.pl",
    } | given
    return Content(**given)


def recipient(**given) -> RecipientValues:
    return RecipientValues(
        **({"address": "jan@client.pl", "token": TOKEN, "fields": {"name": "Jan"}} | given)
    )


def rendered(a_content: Content | None = None, **given) -> Rendered:
    return compile_message(a_content or content(), KNOWN, date=WHEN).render(recipient(**given))


def raw(message: Rendered) -> bytes:
    return b"".join(message.segments)


def read(message: Rendered) -> EmailMessage:
    check_wire(message)
    parsed = email.message_from_bytes(raw(message), policy=email.policy.default)
    assert [part.defects for part in parsed.walk() if part.defects] == []
    assert all(not value.defects for value in parsed.values())
    return parsed


def check_wire(message: Rendered) -> None:
    """What a Parcel promises of its bytes."""
    whole = raw(message)
    assert whole.endswith(b"\r\n")
    assert b"\n" not in whole.replace(b"\r\n", b"")
    assert b"\r" not in whole.replace(b"\r\n", b"")
    assert b"\0" not in whole
    assert max(map(len, whole.split(b"\r\n"))) <= 998
    assert message.size == len(whole)
    assert message.eight_bit == (not whole.isascii())
    assert not message.stuffed or (b"\r\n." not in whole and not whole.startswith(b"."))
    assert len(message.segments) <= 10


def body_of(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def test_a_message_reads_back_as_it_was_meant():
    parsed = read(rendered(display_name="Jan Żółw", fields={"name": "Żaneta & Łucja", "company": "<Firma>"}))
    assert parsed["subject"] == "Hello Żaneta & Łucja"
    assert [(box.display_name, box.addr_spec) for box in parsed["to"].addresses] == [
        ("Jan Żółw", "jan@client.pl")
    ]
    assert parsed["from"].addresses[0].display_name.replace(" ", "") == "ŁukaszŻółć"
    assert "<p>Dear Żaneta &amp; Łucja,</p>" in body_of(parsed, "html")
    assert "&lt;Firma&gt; – zażółć" in body_of(parsed, "html")
    assert body_of(parsed, "plain").startswith("Dear Żaneta & Łucja,\n\n<Firma> – zażółć")
    assert parsed["date"].datetime == WHEN


def test_the_token_is_in_message_id_and_x_header():
    parsed = read(rendered())
    assert TOKEN in parsed["message-id"]
    assert parsed["message-id"].endswith("@firm.pl>")
    assert parsed["x-postroom-id"] == TOKEN


@pytest.mark.parametrize(
    "name", ["auto-submitted", "precedence", "bcc", "return-receipt-to", "x-confirm-reading-to"]
)
def test_some_headers_are_never_written(name):
    whole = content(receipt_read=True, unsubscribe_url="https://p.pl/{token}", with_one_click=True)
    assert read(rendered(whole, mail_from="b@firm.pl"))[name] is None


def test_a_read_receipt_goes_to_the_envelope_sender():
    parsed = read(rendered(content(receipt_read=True), mail_from=f"bounce+{TOKEN}@firm.pl"))
    assert parsed["disposition-notification-to"] == f"bounce+{TOKEN}@firm.pl"
    assert read(rendered(content(receipt_read=True)))["disposition-notification-to"] is None
    assert read(rendered(mail_from="b@firm.pl"))["disposition-notification-to"] is None


@pytest.mark.parametrize(
    ("settings_", "given", "expected", "post"),
    [
        ({}, {}, None, False),
        ({}, {"unsubscribe_address": "u@f.pl"}, "<mailto:u@f.pl?subject=unsubscribe>", False),
        ({}, {"unsubscribe_address": "u@f.pl?subject=x"}, "<mailto:u@f.pl?subject=x>", False),
        ({"list_unsubscribe_mailto": False}, {"unsubscribe_address": "u@f.pl"}, None, False),
        ({"unsubscribe_url": "https://p.pl/u/{token}"}, {}, f"<https://p.pl/u/{TOKEN}>", False),
        (
            {"unsubscribe_url": "https://p.pl/{token}", "with_one_click": True},
            {"unsubscribe_address": "u@f.pl", "unsubscribe_url": "https://p.pl/own"},
            "<mailto:u@f.pl?subject=unsubscribe>, <https://p.pl/own>",
            True,
        ),
        (
            {"with_one_click": True},
            {"unsubscribe_address": "u@f.pl"},
            "<mailto:u@f.pl?subject=unsubscribe>",
            False,
        ),
    ],
)
def test_list_unsubscribe_names_what_is_there(settings_, given, expected, post):
    parsed = read(rendered(content(**settings_), **given))
    found = parsed["list-unsubscribe"]
    assert (str(found) if found is not None else None) == expected
    assert (parsed["list-unsubscribe-post"] == "List-Unsubscribe=One-Click") is post


def test_the_unsubscribe_link_can_stand_in_the_body():
    whole = content(
        html='<a href="{{ links.unsubscribe }}">out</a>', unsubscribe_url="https://p.pl/?a=1&t={token}"
    )
    message = rendered(whole)
    assert f'href="https://p.pl/?a=1&amp;t={TOKEN}"' in body_of(read(message), "html")
    assert f"out (https://p.pl/?a=1&t={TOKEN})" in body_of(read(message), "plain")


def test_without_a_url_the_link_in_the_body_is_a_mail():
    whole = content(html='<a href="{{ links.unsubscribe }}">out</a>')
    assert 'href="mailto:u@f.pl?subject=unsubscribe"' in body_of(
        read(rendered(whole, unsubscribe_address="u@f.pl")), "html"
    )
    with pytest.raises(MissingValue):
        rendered(whole)


def test_the_preview_can_name_what_is_missing():
    compiled = compile_message(content(), KNOWN, date=WHEN)
    assert compiled.missing({"name": " "}) == ["name"]
    assert compiled.missing({"name": "Jan"}) == []
    assert compiled.missing({"name": 0}) == []


def test_a_page_nested_without_end_is_refused():
    with pytest.raises(BadTemplate) as error:
        compile_message(content(html="<div>" * 1000), KNOWN, date=WHEN)
    assert error.value.field == "html"


def test_a_message_id_of_another_alphabet_is_written_in_a_labels():
    assert read(rendered(content(message_id_domain="żółć.pl")))["message-id"].endswith("@xn--kda4b0koi.pl>")


def test_text_alone_is_one_part():
    parsed = read(rendered(content(html="", text="Hello {{ name }}\n.dot\n")))
    assert parsed.get_content_type() == "text/plain"
    assert parsed.get_content() == "Hello Jan\r\n.dot\r\n"


def test_own_text_goes_before_text_made_of_html():
    assert body_of(read(rendered(content(text="Own text"))), "plain").strip() == "Own text"


@pytest.mark.parametrize("eight_bit_allowed", [True, False])
@pytest.mark.parametrize("html", ["", HTML])
def test_attachments_come_back_and_are_shared(eight_bit_allowed, html):
    files = (
        AttachmentFile("zażółć.pdf", "application/pdf", bytes(range(256)) * 5000),
        AttachmentFile("../a\\b.txt", "text/plain; charset=x", b""),
        AttachmentFile("mail.eml", "message/rfc822", b"Subject: x\r\n\r\n.\r\n"),
    )
    whole = content(
        html=html, text="" if html else "Hi", attachments=files, eight_bit_allowed=eight_bit_allowed
    )
    compiled = compile_message(whole, KNOWN, date=WHEN)
    one, two = compiled.render(recipient()), compiled.render(recipient(fields={"name": "Anna"}))
    parts = list(read(one).iter_attachments())
    assert [part.get_filename() for part in parts] == ["zażółć.pdf", ".._a_b.txt", "mail.eml"]
    assert [part.get_payload(decode=True) for part in parts] == [attached.data for attached in files]
    assert one.segments[-1] is two.segments[-1]
    assert len(one.segments[-1]) > 1_000_000


def test_without_8bitmime_everything_is_seven_bit():
    for html in (HTML, "<p>Уважаеми {{ name }}, каним Ви на семинар</p>"):
        message = rendered(
            content(html=html, eight_bit_allowed=False), fields={"name": "Петър", "company": "Żuk"}
        )
        assert not message.eight_bit
        assert "Петър" in body_of(read(message), "html")


def test_an_8_bit_part_makes_its_multipart_8_bit():
    parsed = read(rendered())
    assert parsed["content-transfer-encoding"] == "8bit"
    assert read(rendered(content(html="<p>{{ name }}</p>")))["content-transfer-encoding"] is None


def test_a_value_that_makes_a_line_too_long_changes_the_encoding():
    message = rendered(fields={"name": "x" * 2000})
    assert "x" * 2000 in body_of(read(message), "html")
    assert b"quoted-printable" in raw(message)


def test_a_long_line_of_the_template_is_encoded():
    assert "y" * 3000 in body_of(read(rendered(content(html=f"<p>{'y' * 3000}</p>"))), "html")


def test_a_value_cannot_end_a_part():
    boundary = read(rendered()).get_boundary()
    message = rendered(fields={"name": f"x\n--{boundary}--\nContent-Type: text/html\n\n<script>"})
    assert len(list(read(message).iter_parts())) == 2
    one_line = rendered(content(text="{{ name }}\n"), fields={"name": f"--{boundary}--"})
    assert len(list(read(one_line).iter_parts())) == 2
    assert body_of(read(one_line), "plain").strip() == f"--{boundary}--"


@pytest.mark.parametrize(
    "given",
    [
        {"address": "jan@client.pl\r\nBcc: all@firm.pl"},
        {"display_name": "Jan\r\nBcc: all@firm.pl"},
        {"token": "x\r\nBcc: y"},
        {"unsubscribe_address": "x\r\nBcc: y"},
        {"unsubscribe_url": "https://x\r\nBcc: y"},
    ],
)
def test_a_line_break_in_a_header_value_is_refused(given):
    with pytest.raises(InputError):
        rendered(**given)


def test_a_line_break_in_a_field_cannot_leave_the_subject():
    parsed = read(rendered(fields={"name": "Jan\r\nBcc: all@firm.pl"}))
    assert parsed["bcc"] is None
    assert parsed["subject"] == "Hello Jan Bcc: all@firm.pl"


@pytest.mark.parametrize("name", ["From", "content-type", "X-Postroom-Id", "Bad name", "X:\r\nBcc"])
def test_extra_headers_cannot_replace_ours(name):
    with pytest.raises(InputError):
        compile_message(content(extra_headers=((name, "x"),)), KNOWN, date=WHEN)
    assert read(rendered(content(extra_headers=(("X-Firm", "Żuk"),))))["x-firm"] == "Żuk"


def test_list_id_and_reply_to_are_written():
    parsed = read(rendered(content(list_id="news.firm.pl", reply_to=Mailbox("Biuro, Łódź", "biuro@firm.pl"))))
    assert parsed["list-id"] == "<news.firm.pl>"
    assert parsed["reply-to"].addresses[0].addr_spec == "biuro@firm.pl"


def test_fields_are_those_of_contacts_only():
    whole = content(
        subject="{{ sender.name }} {{ contact.surname | default: 'x' }}", constants={"sender.name": "A"}
    )
    compiled = compile_message(whole, KNOWN, date=WHEN)
    assert compiled.fields == {"name", "surname", "company"}
    assert compiled.has_fallback["surname"]
    assert not compiled.has_fallback["name"]


def test_constants_are_filled_in_and_escaped():
    whole = content(
        subject="{{ sender.name }}",
        html="<p>{{ sender.name }} {{ name }}</p>",
        constants={"sender.name": "A&B"},
    )
    parsed = read(rendered(whole))
    assert parsed["subject"] == "A&B"
    assert "<p>A&amp;B Jan</p>" in body_of(parsed, "html")


@pytest.mark.parametrize("fields", [{}, {"name": ""}, {"name": "  "}, {"name": None}])
@pytest.mark.parametrize("general", [False, True])
def test_a_missing_value_is_an_error_or_left_out(fields, general):
    compiled = compile_message(content(subject="Hi"), KNOWN, date=WHEN)
    with pytest.raises(MissingValue) as error:
        compiled.render(recipient(fields=fields), general=general)
    assert error.value.field == "name"
    relaxed = compile_message(content(subject="Hi", empty_values=True), KNOWN, date=WHEN)
    assert "<p>Dear ,</p>" in body_of(read(relaxed.render(recipient(fields=fields), general=general)), "html")


def test_an_unknown_field_is_named_with_its_place_and_neighbour():
    with pytest.raises(BadTemplate) as error:
        compile_message(content(html="<p>\n{{ nmae }}</p>", text="x"), KNOWN, date=WHEN)
    assert error.value.field == "html"
    assert "nmae (line 2, did you mean name?)" in error.value.message
    assert error.value.details["unknown"] == {"nmae": "name"}


def test_a_sender_that_is_no_address_is_refused():
    with pytest.raises(BadAddress):
        compile_message(content(header_from=Mailbox("x", "office@")), KNOWN, date=WHEN)


def test_another_date_changes_nothing_else():
    compiled = compile_message(content(), KNOWN, date=WHEN)
    later = compiled.dated(WHEN.replace(day=2)).render(recipient())
    assert raw(later) == raw(compiled.render(recipient())).replace(b"Sun, 01 Mar", b"Mon, 02 Mar")


def test_an_address_of_other_letters_makes_the_message_eight_bit():
    message = rendered(content(html="<p>x</p>"), address="żółć@firma.pl")
    assert message.eight_bit
    assert "To: żółć@firma.pl\r\n".encode() in raw(message)


LITERALS = st.text(st.sampled_from("ab .<>&\"'\n\r{}%|=_żя-\t\x00"), max_size=30)
PLACES = st.sampled_from(
    [
        "{{ name }}",
        "{{name|default:'x & y'}}",
        '{{ contact.company | default: "<żó>" }}',
        "{{ links.unsubscribe }}",
        "{{ sender.name }}",
        "{{ company }}",
        "{{ name }}{{ company }}",
        "\n{{ name }}\n",
        "\n.{{ company }}",
        "\n{{ name }}.",
        "\n--={{ name }}",
        "\n--{{ name }}_postroom_a",
        "\n--={{ name }}_postroom_a",
    ]
)
SOURCES = st.lists(st.one_of(LITERALS, PLACES), max_size=8).map("".join)
VALUES = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.sampled_from(["=", "_postroom_x", "=_post", 12]),
    st.sampled_from(
        ["", " ", ".", "..x", "A & B", "x" * 1200, "ż" * 600, "a\nb", "a\r\n.b", "--=_postroom_x", "\xa0"]
    ),
)


@settings(max_examples=400, deadline=None)
@given(SOURCES, SOURCES, SOURCES, VALUES, VALUES, st.booleans(), st.booleans())
def test_the_quick_way_gives_the_bytes_of_the_general_way(
    subject, html, text, name, company, eight_bit, empty
):
    whole = content(
        subject=subject,
        html=html,
        text=text,
        eight_bit_allowed=eight_bit,
        empty_values=empty,
        constants={"sender.name": "Łukasz & Co"},
        unsubscribe_url="https://p.pl/?u={token}&x",
    )
    try:
        compiled = compile_message(whole, KNOWN, date=WHEN)
    except BadTemplate:
        return  # brackets at random
    to = recipient(fields={"name": name, "company": company})

    def outcome(general: bool) -> object:
        try:
            return raw(compiled.render(to, general=general))
        except MissingValue:
            return "missing"

    assert outcome(False) == outcome(True)
    if outcome(False) != "missing":
        rendered = compiled.render(to)
        read(rendered)
        assert not rendered.stuffed or b"\n." not in b"\n" + raw(rendered)
