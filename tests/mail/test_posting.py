"""The rules of postings, and what tells a machine's mail from a person's."""

import pytest

from postroom.mail.group_expand import DEPTH, Member, Node, expanded
from postroom.mail.letterhead import head_of
from postroom.mail.posting import Decision, Facts, Proof, automatic_signs, judged
from postroom.mail.proof import proof_of

HUMAN = "From: Jan <jan@firm.example>\r\nTo: sales@firm.example\r\nSubject: Prices\r\n"
AUTOMATIC = {
    "vacation, RFC 3834": ("a@b.example", "Auto-Submitted: auto-replied (vacation)\r\n"),
    "vacation of wp.pl": (
        "a@wp.pl",
        "Precedence: junk\r\nSubject: [Automatyczna odpowiedz] urlop\r\nIn-Reply-To: <1@firm.example>\r\n",
    ),
    "vacation of iCloud": ("a@icloud.com", "X-Apple-Action: VACATION/1\r\n"),
    "autoresponder": ("a@b.example", "X-Autoreply: yes\r\n"),
    "autoresponder of Exim": ("a@b.example", "X-Autorespond: Re: Prices\r\n"),
    "delivery report": ("", "Content-Type: multipart/report; report-type=delivery-status; boundary=x\r\n"),
    "report with a sender": ("m@b.example", 'Content-Type: multipart/report; boundary="x"\r\n'),
    "read receipt": (
        "a@b.example",
        "Content-Type: multipart/report;\r\n report-type=disposition-notification;\r\n boundary=x\r\n",
    ),
    "newsletter": ("news@shop.example", "Precedence: bulk\r\nList-Unsubscribe: <https://shop.example/u>\r\n"),
    "null sender": ("", ""),
}
PERSONS = {
    "plain": "",
    "by another list": "Precedence: list\r\nList-Id: Talk <talk.lists.example>\r\nX-BeenThere: talk@lists.example\r\n",
    "says no": "Auto-Submitted: no\r\n",
    "wants no vacation notes": "X-Auto-Response-Suppress: All\r\n",
    "about a holiday": "X-Mailer: Mutt\r\nSubject: Vacation notice: closed on Friday\r\n",
    "answers one": "Subject: Re: Out of office: prices\r\nIn-Reply-To: <1@firm.example>\r\n",
}


@pytest.mark.req("EG-12")
@pytest.mark.parametrize("name", AUTOMATIC)
def test_ten_kinds_of_automatic_mail_are_seen_and_refused(name):
    mail_from, fields = AUTOMATIC[name]
    signs = automatic_signs(mail_from, head_of((fields + HUMAN + "\r\nText\r\n").encode()))
    assert signs
    verdict = judged(Facts(automatic=signs))
    assert (verdict.decision, verdict.reply.code, verdict.reply.status) == (Decision.REFUSE, 550, "5.7.1")
    assert judged(Facts(automatic=signs, reject_automatic=False)).decision is Decision.TAKE


@pytest.mark.req("EG-12")
@pytest.mark.parametrize("name", PERSONS)
def test_peoples_mail_passes(name):
    head = head_of((PERSONS[name] + HUMAN + "\r\nText\r\n").encode())
    assert automatic_signs("jan@firm.example", head) == ""


def test_a_return_path_of_ours_is_automatic():
    assert automatic_signs("b-token@returns.example", head_of(HUMAN.encode()), own_return=True)


@pytest.mark.parametrize(
    ("facts", "decision", "reason"),
    [
        (Facts(looped=True, disabled=True), Decision.DROP, "loop"),
        (Facts(disabled=True, automatic="x"), Decision.REFUSE, "disabled"),
        (Facts(size=11, size_max=10), Decision.REFUSE, "too_big"),
        (Facts(size=10, size_max=10), Decision.TAKE, ""),
        (Facts(who="members"), Decision.REFUSE, "not_allowed"),
        (Facts(who="members", is_member=True), Decision.TAKE, ""),
        (Facts(who="members", is_member=True, proof=Proof.FAILED), Decision.REFUSE, "not_proved"),
        (Facts(who="members", is_named=True, proof=Proof.PASSED), Decision.TAKE, ""),
        (Facts(who="named", is_member=True), Decision.REFUSE, "not_allowed"),
        (Facts(who="named", via_group=True), Decision.TAKE, ""),
        (Facts(who="approved"), Decision.HOLD, "approval"),
        (Facts(who="approved", is_named=True), Decision.HOLD, "approval"),
        (Facts(who="approved", is_named=True, proof=Proof.PASSED), Decision.TAKE, ""),
    ],
)
def test_the_first_rule_that_speaks_decides(facts, decision, reason):
    verdict = judged(facts)
    assert (verdict.decision, verdict.reason) == (decision, reason)
    assert verdict.reply.accepted == (decision is not Decision.REFUSE)


@pytest.mark.parametrize(
    ("result", "proof"),
    [
        ("dkim=pass header.d=firm.example", Proof.PASSED),
        ("dkim=fail header.d=firm.example; spf=pass smtp.mailfrom=jan@mail.firm.example", Proof.PASSED),
        ("spf=pass smtp.mailfrom=jan@other.example; dkim=pass header.d=evil.example", Proof.FAILED),
        ("dkim=none; spf=none smtp.mailfrom=firm.example", Proof.FAILED),
        ("dmarc=pass (p=reject; dis=none) header.from=firm.example", Proof.PASSED),
        ("auth=pass smtp.auth=jan@firm.example", Proof.PASSED),
    ],
)
def test_a_trusted_servers_word_proves_the_author(result, proof):
    raw = f"Authentication-Results: mx.firm.example 1;\r\n {result}\r\n{HUMAN}\r\n".encode()
    assert proof_of(head_of(raw), "mx.firm.example") is proof
    assert proof_of(head_of(raw), "mx.other.example") is Proof.UNKNOWN
    assert proof_of(head_of(raw), "") is Proof.UNKNOWN


def node(id: int, *members: "str | int", **more) -> Node:
    listed = tuple(
        Member(at, f"g{one}@f.example", group=one) if isinstance(one, int) else Member(at, f"{one}@f.example")
        for at, one in enumerate(members)
    )
    return Node(id, f"g{id}@f.example", members=listed, **more)


def people(found) -> list[str]:
    return [member.address.partition("@")[0] for member in found.people]


@pytest.mark.req("EG-08")
def test_groups_within_groups_give_each_person_once():
    nodes = {1: node(1, "a", 2, 3), 2: node(2, "a", "x"), 3: node(3, "x", "y")}
    assert people(expanded(1, nodes)) == ["a", "x", "y"]
    nodes[1] = node(1, 2, 3, expand=False)
    found = expanded(1, nodes)
    assert (found.people, found.groups) == ((), (2, 3))


@pytest.mark.req("EG-08")
def test_circles_end_and_depth_is_bounded():
    assert people(expanded(1, {1: node(1, 2, "a"), 2: node(2, 1, 2, "b")})) == ["a", "b"]
    chain = {n: node(n, f"p{n}", n + 1) for n in range(1, 100)}
    found = expanded(1, chain)
    assert len(found.people) == DEPTH + 1
    assert found.groups == (DEPTH + 2,)


def test_a_disabled_subgroup_and_the_group_as_its_own_member_give_nothing():
    nodes = {1: node(1, 2, "g1", "a"), 2: node(2, "b", disabled=True)}
    assert people(expanded(1, nodes)) == ["a"]


@pytest.mark.req("EG-13")
def test_who_is_named_is_left_out_and_a_named_group_is_not_opened():
    nodes = {1: node(1, 2, "a", "b"), 2: node(2, "c")}
    found = expanded(1, nodes, without={"a@f.example"}, named_groups={"g2@f.example"})
    assert (people(found), found.groups) == (["b"], ())


def test_a_hundred_thousand_members_take_a_moment():
    nodes = {1: node(1, 2, *(f"a{n}" for n in range(100_000))), 2: node(2, *(f"a{n}" for n in range(1000)))}
    assert len(expanded(1, nodes).people) == 100_000
