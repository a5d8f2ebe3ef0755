"""The one table of an account's fields: who sets them, what a check looks at, who is told them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AccountField:
    """marks: see `_named`."""

    name: str
    marks: frozenset[str]


def _table(text: str) -> tuple[AccountField, ...]:
    rows = [line.split() for line in text.strip().splitlines()]
    return tuple(AccountField(name, frozenset(marks)) for name, *marks in rows)


TABLE = _table(
    """
    name                        set  all
    address                     set  all      sender
    display_name                set  all      sender
    reply_to_address            set  all
    reply_to_name               set  all
    override_from               set  all      sender
    override_from_address       set  all      sender
    override_from_name          set  all      sender
    override_to                 set  all      sender
    override_to_address         set  all      sender
    override_to_name            set  all      sender
    integration                 set  all
    smtp_host                   set  editors  tested
    smtp_port                   set  editors  tested
    smtp_security               set  editors  tested
    smtp_authenticate           set  editors  tested
    smtp_login                  set  editors  tested
    smtp_password               set  secret   tested
    imap_host                   set  editors  tested
    imap_port                   set  editors  tested
    imap_security               set  editors  tested
    imap_login                  set  editors  tested
    imap_password               set  secret   tested
    smtp_same_as_imap           set  editors  tested
    verify_certificate          set  editors  tested
    proxy_kind                  set  editors  tested
    proxy_host                  set  editors  tested
    proxy_port                  set  editors  tested
    proxy_login                 set  editors  tested
    proxy_password              set  secret   tested
    signs_dkim                  set  editors
    is_mailbox                  set  all
    keep_sent                   set  editors
    takes_groups                set  editors
    per_minute                  set  editors
    per_hour                    set  editors
    per_day                     set  editors
    per_span                    set  editors
    span_minutes                set  editors
    pause_every                 set  editors
    pause_s                     set  editors
    connections                 set  editors
    messages_per_connection     set  editors
    id                               all
    kind                             all
    visibility                       all
    version                          all
    approval                         all
    approval_reason                  all
    protocol                         editors  tested
    pop3_locked                      editors
    pop3_leave                  set  editors
    plus_tag                         editors
    last_test                        editors
    capabilities                     editors
    """
)


def _named(*marks: str) -> tuple[str, ...]:
    """Fields with one of these marks.

    set:     by a person.       tested:  by a check of settings; another value makes the account untested (CM-31).
    sender:  what the operator agreed to; another value asks for his word again (SA-13).
    all:     told to everybody who sees the account; editors: to those who may change it; secret: to nobody.
    """
    return tuple(field.name for field in TABLE if field.marks & set(marks))


SET = _named("set")
TESTED = _named("tested")
SENDER = _named("sender")
SECRET = _named("secret")
TOLD_ALL = _named("all")
TOLD_EDITORS = _named("editors")
